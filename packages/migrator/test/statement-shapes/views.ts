import { anywhere, type Shape } from './shape.ts';

const table = (name: string): string[] => [
  `create table ${name} (a int primary key, b text)`,
  `insert into ${name} values (1, 'x')`,
];
const touch = `create or replace function touch() returns trigger language plpgsql as 'begin return new; end'`;
const watch = `create or replace function watch() returns event_trigger language plpgsql as 'begin null; end'`;

export const views: readonly Shape[] = [
  anywhere(
    'create view seen with (security_barrier) as select * from shown where a > 0 with check option',
    ...table('shown'),
  ),
  anywhere(
    'create or replace view replaced as select 1 as a, 2 as b',
    'create view replaced as select 1 as a',
  ),
  anywhere('create recursive view counted (n) as values (1) union all select n + 1 from counted where n < 5'),
  anywhere('create temp view passing as select 1'),
  anywhere(
    `alter view altered alter column a set default 5`,
    ...table('altered_base'),
    'create view altered as select * from altered_base',
  ),
  anywhere('alter view renamed rename to renamed_now', 'create view renamed as select 1 as a'),
  anywhere('drop view dropped', 'create view dropped as select 1 as a'),
  anywhere(`comment on view commented is 'a view'`, 'create view commented as select 1 as a'),
  anywhere('create materialized view stored as select * from stored_base', ...table('stored_base')),
  anywhere('create materialized view if not exists empty as select 1 as a with no data'),
  anywhere(
    'refresh materialized view refreshed',
    'create materialized view refreshed as select 1 as a with no data',
  ),
  anywhere(
    'refresh materialized view concurrently refreshed_online',
    ...table('refreshed_base'),
    'create materialized view refreshed_online as select * from refreshed_base',
    'create unique index refreshed_idx on refreshed_online (a)',
    `insert into refreshed_base values (2, 'y')`,
  ),
  anywhere(
    'alter materialized view altered_stored set (fillfactor = 50)',
    'create materialized view altered_stored as select 1 as a',
  ),
  anywhere(
    'drop materialized view dropped_stored',
    'create materialized view dropped_stored as select 1 as a',
  ),
  anywhere('create rule kept as on delete to ruled do instead nothing', ...table('ruled')),
  anywhere(
    'create or replace rule logged as on insert to ruled_too do also notify shapes',
    ...table('ruled_too'),
  ),
  anywhere(
    'alter rule renamed_rule on reruled rename to renamed_rule_now',
    ...table('reruled'),
    'create rule renamed_rule as on delete to reruled do nothing',
  ),
  anywhere(
    'drop rule dropped_rule on unruled',
    ...table('unruled'),
    'create rule dropped_rule as on delete to unruled do nothing',
  ),
  anywhere(
    'create trigger touched before update of b on triggered for each row when (old.b is distinct from new.b) execute function touch()',
    touch,
    ...table('triggered'),
  ),
  anywhere(
    'create constraint trigger checked after insert on constrained deferrable initially deferred for each row execute function touch()',
    touch,
    ...table('constrained'),
  ),
  anywhere(
    'create or replace trigger transitional after insert on transit referencing new table as added for each statement execute function touch()',
    touch,
    ...table('transit'),
  ),
  anywhere(
    'alter trigger renamed on retriggered rename to renamed_now',
    touch,
    ...table('retriggered'),
    'create trigger renamed after insert on retriggered execute function touch()',
  ),
  anywhere(
    'alter table switched enable always trigger one',
    touch,
    ...table('switched'),
    'create trigger one after insert on switched execute function touch()',
  ),
  anywhere(
    'drop trigger dropped on untriggered',
    touch,
    ...table('untriggered'),
    'create trigger dropped after insert on untriggered execute function touch()',
  ),
  anywhere(
    `create event trigger watching on ddl_command_end when tag in ('CREATE SEQUENCE', 'DROP SEQUENCE') execute function watch()`,
    watch,
  ),
  anywhere(
    'alter event trigger asleep disable',
    watch,
    `create event trigger asleep on sql_drop when tag in ('DROP CAST') execute function watch()`,
  ),
  anywhere(
    'drop event trigger unwatched',
    watch,
    `create event trigger unwatched on sql_drop when tag in ('DROP CAST') execute function watch()`,
  ),
  anywhere(
    'create policy own on guarded as restrictive for update to public using (a > 0) with check (a < 9)',
    ...table('guarded'),
  ),
  anywhere(
    'alter policy changed on reguarded using (a > 7)',
    ...table('reguarded'),
    'create policy changed on reguarded using (true)',
  ),
  anywhere(
    'drop policy dropped on unguarded',
    ...table('unguarded'),
    'create policy dropped on unguarded using (true)',
  ),
  anywhere('alter table secured enable row level security, force row level security', ...table('secured')),
  anywhere(
    'create sequence numbers as smallint increment by 5 minvalue 1 maxvalue 100 start 10 cache 2 cycle',
  ),
  anywhere(
    'alter sequence restarted restart with 50 owned by owning.a',
    ...table('owning'),
    'create sequence restarted',
  ),
  anywhere('drop sequence dropped_sequence', 'create sequence dropped_sequence'),
  anywhere(`select setval('set_sequence', 42)`, 'create sequence set_sequence'),
  anywhere('create schema shop create table orders (id int) create view open_orders as select * from orders'),
  anywhere('create schema if not exists public'),
  anywhere('alter schema renamed_schema rename to renamed_schema_now', 'create schema renamed_schema'),
  anywhere(
    'drop schema dropped_schema cascade',
    'create schema dropped_schema',
    'create table dropped_schema.t (a int)',
  ),
];
