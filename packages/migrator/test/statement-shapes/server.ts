import { anywhere, outside, type Shape } from './shape.ts';

const logical = { needs: ['wal_level', 'logical'] } as const;
// A name without a server: it is never connected to.
const subscription = (name: string): string =>
  `create subscription ${name} connection 'dbname=absent' publication absent with (connect = false, slot_name = none)`;

export const server: readonly Shape[] = [
  outside('create database "{db}_made" template template0 encoding $$UTF8$$ connection limit 3'),
  anywhere(
    'alter database "{db}_limited" with connection limit 7',
    'create database "{db}_limited" template template0',
  ),
  anywhere(
    'alter database "{db}_renamed" rename to "{db}_renamed_now"',
    'create database "{db}_renamed" template template0',
  ),
  anywhere(`alter database "{db}" set datestyle = 'German'`),
  anywhere(
    'alter database "{db}_unset" reset all',
    'create database "{db}_unset" template template0',
    `alter database "{db}_unset" set work_mem = '5MB'`,
  ),
  {
    ...anywhere(
      'alter database "{db}_collated" refresh collation version',
      'create database "{db}_collated" template template0',
    ),
    since: 15,
  },
  outside(
    'alter database "{db}_moved" set tablespace pg_default',
    'create database "{db}_moved" template template0',
  ),
  anywhere(
    `comment on database "{db}_commented" is 'a database of {db}'`,
    'create database "{db}_commented" template template0',
  ),
  outside(
    'drop database if exists "{db}_dropped" with (force)',
    'create database "{db}_dropped" template template0',
  ),
  { ...outside(`create tablespace "{db}_space" location ''`), needs: ['allow_in_place_tablespaces', 'on'] },
  {
    ...anywhere(
      'alter tablespace "{db}_slow" set (random_page_cost = 9)',
      `create tablespace "{db}_slow" location ''`,
    ),
    needs: ['allow_in_place_tablespaces', 'on'],
  },
  {
    ...outside('drop tablespace "{db}_unused"', `create tablespace "{db}_unused" location ''`),
    needs: ['allow_in_place_tablespaces', 'on'],
  },
  { ...outside(`alter system set geqo_seed = 0.25`), undo: ['alter system reset geqo_seed'] },
  { ...outside(`alter system reset geqo_threshold`), undo: [] },
  outside('alter system reset all'),
  anywhere('checkpoint'),
  anywhere('create publication published for all tables with (publish = $$insert$$)'),
  anywhere(
    'create publication published_table for table only_published',
    'create table only_published (a int primary key)',
  ),
  { ...anywhere('create publication published_schema for tables in schema public'), since: 15 },
  anywhere(
    'alter publication changed add table added_to',
    'create publication changed',
    'create table added_to (a int primary key)',
  ),
  anywhere('alter publication renamed rename to renamed_now', 'create publication renamed'),
  anywhere('drop publication dropped', 'create publication dropped'),
  anywhere(subscription('subscribed')),
  {
    ...outside(
      `create subscription connecting connection 'host=127.0.0.1 port=1 dbname=absent' publication absent`,
    ),
    fails: '08006',
  },
  // It is disabled.
  {
    ...anywhere('alter subscription refreshed refresh publication', subscription('refreshed')),
    fails: '55000',
  },
  anywhere(`alter subscription altered connection 'dbname=other'`, subscription('altered')),
  anywhere('alter subscription streaming set (binary = true)', subscription('streaming')),
  anywhere('drop subscription unsubscribed', subscription('unsubscribed')),
  {
    ...outside(`select pg_create_logical_replication_slot('{db}_logical', 'pgoutput')`),
    ...logical,
    undo: [
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{db}_logical'`,
    ],
  },
  {
    ...anywhere(`select pg_create_physical_replication_slot('{db}_physical')`),
    undo: [
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '{db}_physical'`,
    ],
  },
  {
    ...anywhere(
      `select pg_drop_replication_slot('{db}_gone')`,
      `select pg_create_physical_replication_slot('{db}_gone')`,
    ),
  },
  {
    ...anywhere(`select pg_replication_origin_create('{db}_origin')`),
    undo: [
      `select pg_replication_origin_drop(roname) from pg_replication_origin where roname = '{db}_origin'`,
    ],
  },
  anywhere('create extension hstore with schema extended', 'create schema extended'),
  anywhere('create extension if not exists cube cascade'),
  anywhere('alter extension pg_trgm update', 'create extension pg_trgm'),
  anywhere(
    'alter extension ltree add table of_ltree',
    'create extension ltree',
    'create table of_ltree (a int)',
  ),
  anywhere(
    'alter extension citext set schema resettled',
    'create extension citext',
    'create schema resettled',
  ),
  anywhere(`comment on extension fuzzystrmatch is 'fuzzy'`, 'create extension fuzzystrmatch'),
  anywhere('drop extension unaccent', 'create extension unaccent'),
  anywhere('create foreign data wrapper wrapper options (debug $$true$$)'),
  anywhere(
    'alter foreign data wrapper rewrapped options (add a $$1$$)',
    'create foreign data wrapper rewrapped',
  ),
  anywhere(
    `create server remote type 'a' version 'b' foreign data wrapper wrapping options (host 'x')`,
    'create foreign data wrapper wrapping',
  ),
  anywhere(
    `alter server remote_changed version 'c' options (set host 'y')`,
    'create foreign data wrapper wrapping_too',
    `create server remote_changed foreign data wrapper wrapping_too options (host 'x')`,
  ),
  anywhere(
    'drop server remote_dropped',
    'create foreign data wrapper wrapping_dropped',
    'create server remote_dropped foreign data wrapper wrapping_dropped',
  ),
  anywhere(
    `create user mapping for current_user server mapped options (user 'u')`,
    'create foreign data wrapper mapping',
    'create server mapped foreign data wrapper mapping',
  ),
  anywhere(
    `alter user mapping for public server remapped options (set user 'v')`,
    'create foreign data wrapper remapping',
    'create server remapped foreign data wrapper remapping',
    `create user mapping for public server remapped options (user 'u')`,
  ),
  anywhere(
    'drop user mapping for public server unmapped',
    'create foreign data wrapper unmapping',
    'create server unmapped foreign data wrapper unmapping',
    'create user mapping for public server unmapped',
  ),
  anywhere(
    `create foreign table far (a int options (column_name 'b')) server holding options (schema_name 's')`,
    'create foreign data wrapper holder',
    'create server holding foreign data wrapper holder',
  ),
  anywhere(
    'alter foreign table far_changed add column b text',
    'create foreign data wrapper changer',
    'create server changing foreign data wrapper changer',
    'create foreign table far_changed (a int) server changing',
  ),
  anywhere(
    'drop foreign table far_dropped',
    'create foreign data wrapper dropper',
    'create server dropping foreign data wrapper dropper',
    'create foreign table far_dropped (a int) server dropping',
  ),
  // It would have to connect.
  {
    sql: 'import foreign schema public limit to (a) from server imported into public',
    prepare: ['create foreign data wrapper importer', 'create server imported foreign data wrapper importer'],
    fails: '55000',
  },
];
