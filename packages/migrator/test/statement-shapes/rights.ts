import { anywhere, type Shape } from './shape.ts';

const role = '{db}_role';

export const rights: readonly Shape[] = [
  anywhere('create role "{db}_made" login createdb connection limit 5 valid until $$2030-01-01$$'),
  anywhere(`create user "{db}_user" password 'secret'`),
  anywhere('create group "{db}_group" role "{db}_member"', 'create role "{db}_member"'),
  anywhere('alter role "{db}_altered" createrole nologin', 'create role "{db}_altered" login'),
  anywhere(`alter role "{db}_set" in database "{db}" set work_mem = '5MB'`, 'create role "{db}_set"'),
  anywhere(
    'alter role "{db}_reset" reset all',
    'create role "{db}_reset"',
    `alter role "{db}_reset" set work_mem = '5MB'`,
  ),
  anywhere('alter role "{db}_renamed" rename to "{db}_renamed_now"', 'create role "{db}_renamed"'),
  anywhere(
    'alter group "{db}_grown" add user "{db}_joining"',
    'create role "{db}_grown"',
    'create role "{db}_joining"',
  ),
  anywhere('drop role if exists "{db}_dropped", "{db}_absent"', 'create role "{db}_dropped"'),
  anywhere(
    'grant "{db}_granted" to "{db}_grantee" with admin option',
    'create role "{db}_granted"',
    'create role "{db}_grantee"',
  ),
  anywhere(
    'revoke admin option for "{db}_held" from "{db}_holder"',
    'create role "{db}_held"',
    'create role "{db}_holder"',
    'grant "{db}_held" to "{db}_holder" with admin option',
  ),
  anywhere(`comment on role "${role}" is 'a role of {db}'`, `create role "${role}"`),
  anywhere('grant select, insert (a) on granted to public', 'create table granted (a int)'),
  anywhere(
    `grant all on all tables in schema granted_schema to "{db}_all" with grant option`,
    'create role "{db}_all"',
    'create schema granted_schema',
    'create table granted_schema.t (a int)',
  ),
  anywhere(
    'grant execute on function granted_function() to public',
    `create function granted_function() returns int language sql as 'select 1'`,
    'revoke all on function granted_function() from public',
  ),
  anywhere(
    'grant usage on language plgranted to public',
    'create trusted language plgranted handler plpgsql_call_handler',
    'revoke all on language plgranted from public',
  ),
  anywhere(
    'grant connect, temporary on database "{db}" to "{db}_connecting"',
    'create role "{db}_connecting"',
  ),
  anywhere('grant select on large object 501 to public', 'select lo_create(501)'),
  anywhere(
    'grant usage on type granted_type to "{db}_typing"',
    'create role "{db}_typing"',
    'create type granted_type as (a int)',
  ),
  {
    sql: 'grant set on parameter work_mem to "{db}_setting"',
    prepare: ['create role "{db}_setting"'],
    since: 15,
    undo: ['revoke set on parameter work_mem from "{db}_setting"'],
  },
  anywhere(
    'revoke all on function revoked() from public',
    `create function revoked() returns int language sql as 'select 1'`,
  ),
  anywhere(
    'revoke usage on schema revoked_schema from public cascade',
    'create schema revoked_schema',
    'grant usage on schema revoked_schema to public',
  ),
  anywhere(
    'alter default privileges in schema later grant select on tables to public',
    'create schema later',
  ),
  anywhere(
    'alter default privileges for role "{db}_owner" revoke execute on functions from public',
    'create role "{db}_owner"',
  ),
  anywhere(
    'reassign owned by "{db}_leaving" to "{db}_staying"',
    'create role "{db}_leaving"',
    'create role "{db}_staying"',
    'create table left_behind (a int)',
    'alter table left_behind owner to "{db}_leaving"',
  ),
  anywhere(
    'drop owned by "{db}_gone" cascade',
    'create role "{db}_gone"',
    'create table of_gone (a int)',
    'alter table of_gone owner to "{db}_gone"',
  ),
  anywhere(
    'alter table owned owner to "{db}_new_owner"',
    'create role "{db}_new_owner"',
    'create table owned (a int)',
  ),
  anywhere(
    'alter function owned_function() owner to current_user',
    `create function owned_function() returns int language sql as 'select 1'`,
  ),
  anywhere(
    'alter schema owned_schema owner to "{db}_schema_owner"',
    'create role "{db}_schema_owner"',
    'create schema owned_schema',
  ),
  anywhere(
    'alter large object 502 owner to "{db}_lo_owner"',
    'create role "{db}_lo_owner"',
    'select lo_create(502)',
  ),
  // Without a provider, which only a library of the server can be.
  {
    sql: `security label on table labelled is 'secret'`,
    prepare: ['create table labelled (a int)'],
    fails: '22023',
  },
  {
    sql: `security label for nowhere on role "{db}_labelled" is 'secret'`,
    prepare: ['create role "{db}_labelled"'],
    fails: '22023',
  },
  anywhere('set role "{db}_current"', 'create role "{db}_current"'),
  anywhere('set session authorization "{db}_session"', 'create role "{db}_session"'),
  anywhere('reset session authorization'),
];
