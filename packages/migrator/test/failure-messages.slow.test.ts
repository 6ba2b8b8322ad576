import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { describeServerError } from '../src/session/describe-server-error.ts';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import { first } from './chain.ts';

async function filled(): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await db.orm.em.execute(
    `create table filled as select null::int as a, 1 as b, 'secret' as c, 70000 as d, 'x"secret" y' as e, E'line\nsecret' as f,
       decode('ff736563726574', 'hex') as g, '{"secret": 1}'::jsonb as h, 'sec|ret & (' as i, 'secret.function(int)' as j
     from generate_series(1, 2)`,
  );
  await db.orm.em.execute(`create table other (b int primary key); create type mood as enum ('good');
     create function touch() returns void language plpgsql as 'begin end'`);
  return db;
}

const alter = (column: string, type: string) =>
  `alter table filled alter ${column} type ${type} using ${column}::${type}`;

const failures: readonly (readonly [string, string])[] = [
  ['alter table filled alter a set not null', 'column "a" of relation "filled" contains null values (23502)'],
  ['create unique index on filled (b)', 'could not create unique index "filled_b_idx" (23505)'],
  [
    'alter table filled add check (b > 5)',
    'check constraint "filled_b_check" of relation "filled" is violated by some row (23514)',
  ],
  [
    'alter table filled add foreign key (b) references other',
    'insert or update on table "filled" violates foreign key constraint "filled_b_fkey" (23503)',
  ],
  [
    'alter table filled add exclude using btree (c with =)',
    'could not create exclusion constraint "filled_c_excl" (23P01)',
  ],
  [alter('c', 'int'), 'invalid input syntax for type integer: "…" (22P02)'],
  [alter('c', 'uuid'), 'invalid input syntax for type uuid: "…" (22P02)'],
  [alter('c', 'mood'), 'invalid input value for enum mood: "…" (22P02)'],
  [alter('c', 'jsonb'), 'invalid input syntax for type json (22P02)'],
  [alter('c', 'int[]'), 'malformed array literal: "…" (22P02)'],
  [alter('c', 'timestamptz'), 'invalid input syntax for type timestamp with time zone: "…" (22007)'],
  [alter('c', 'inet'), 'invalid input syntax for type inet: "…" (22P02)'],
  [alter('c', 'interval'), 'invalid input syntax for type interval: "…" (22007)'],
  [alter('c', 'bit(6)'), '"…" is not a valid binary digit (22P02)'],
  [alter('e', 'int'), 'invalid input syntax for type integer: "…" (22P02)'],
  [alter('f', 'int'), 'invalid input syntax for type integer: "…" (22P02)'],
  [alter('d', 'smallint'), 'smallint out of range (22003)'],
  ['alter table filled alter c type varchar(2)', 'value too long for type character varying(2) (22001)'],
  [alter('i', 'tsquery'), 'in tsquery: "…" (42601)'],
  [alter('c', 'regclass'), 'relation "…" does not exist (42P01)'],
  [alter('c', 'regtype'), 'type "…" does not exist (42704)'],
  [alter('c', 'regrole'), 'role "…" does not exist (42704)'],
  [alter('c', 'regproc'), 'function "…" does not exist (42883)'],
  [alter('j', 'regprocedure'), '(42883)'],
  [`select (c || '()')::regprocedure from filled`, 'function "…" does not exist (42883)'],
  [alter('c', 'regnamespace'), 'schema "…" does not exist (3F000)'],
  [`select convert_from(g, 'utf8') from filled`, 'invalid byte sequence for encoding "…": … (22021)'],
  [`select to_date(c, 'YYYY') from filled`, 'invalid value "…" (22007)'],
  [`select now() at time zone c from filled`, 'time zone "…" not recognized (22023)'],
  [`select current_setting(c) from filled`, 'unrecognized configuration parameter "…" (42704)'],
  [`select nextval(c) from filled`, 'relation "…" does not exist (42P01)'],
  ['select 1 / (b - 1) from filled', 'division by zero (22012)'],
  [`do $$ begin raise 'secret'; end $$`, 'SQLSTATE P0001'],
  [`do $$ begin raise 'secret' using errcode = '23514'; end $$`, 'SQLSTATE 23514'],
  [`do $$ declare r filled; begin select * into strict r from filled; end $$`, 'SQLSTATE P0003'],
  [`do $$ begin execute 'select ' || (select min(c) from filled); end $$`, '(42703)'],
];

// Rows are counted before a run, and refuse it, unless code of the run may have changed them.
const touch = 'select touch()';

describe('a failure says what the server says, without values of rows', () => {
  test.each(failures)('%s', async (sql, says) => {
    const failed = migratorOn(await filled(), { [first]: { up: [touch, sql] } }).up();

    await expect(failed).rejects.toThrow(says);
    await expect(failed).rejects.not.toThrow(/secret|sec\|ret|0x/);
  });

  test.each([
    ['create unique index on filled (b)', '(23505)'],
    [`insert into other values (1), (1)`, '(23505)'],
    [`insert into other select a from filled`, '(23502)'],
    [alter('c', 'int'), 'invalid input syntax for type integer: "…" (22P02)'],
    [alter('c', 'jsonb'), 'invalid input syntax for type json (22P02)'],
  ])('%s, sent by code, to which the ORM adds the detail', async (sql, says) => {
    const orm = ormOn(await filled(), {});
    orm.config.get('migrations').migrationsList = [
      {
        name: first,
        class: class extends Migration {
          override async up(): Promise<void> {
            await this.execute(sql);
          }
        },
      },
    ];

    const failed = new Migrator(orm).up();

    await expect(failed).rejects.toThrow(says);
    await expect(failed).rejects.not.toThrow(/secret|Key \(/);
  });

  test.each([
    ['drop table nowhere', 'table "nowhere" does not exist (42P01)'],
    ['select * from nowhere', 'relation "nowhere" does not exist (42P01)'],
    [
      'alter table filled drop column nowhere',
      'column "nowhere" of relation "filled" does not exist (42703)',
    ],
    ['create table t (a nowhere)', 'type "nowhere" does not exist (42704)'],
    ['drop function nowhere(int)', 'function nowhere(integer) does not exist (42883)'],
    ['create table nowhere.t ()', 'schema "nowhere" does not exist (3F000)'],
    ['grant select on filled to nowhere', 'role "nowhere" does not exist (42704)'],
    ['selec 1', 'syntax error at or near "selec" (42601)'],
    [
      `create function f() returns int language plpgsql as 'begin return (select 1 from elsewhere); end'; select f()`,
      'relation "elsewhere" does not exist (42P01)',
    ],
  ])('%s keeps the names of the statement', async (sql, says) => {
    await expect(migratorOn(await filled(), { [first]: { up: [sql] } }).up()).rejects.toThrow(says);
  });

  test.each([
    [
      'ungültige Eingabesyntax für Typ integer: »geheim«',
      'ungültige Eingabesyntax für Typ integer: "…" (22P02)',
    ],
    [
      'syntaxe en entrée invalide pour le type integer : « secret »',
      'syntaxe en entrée invalide pour le type integer : "…" (22P02)',
    ],
    ['型integerの入力構文が不正です: "a"b"c', '型integerの入力構文が不正です: "…"c (22P02)'],
  ])('in other languages: %s', (message, says) => {
    expect(describeServerError(Object.assign(new Error(message), { code: '22P02' }), ['integer a b c'])).toBe(
      says,
    );
  });
});
