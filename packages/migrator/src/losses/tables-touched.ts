import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { userTables, type TableName } from './tables-with-rows.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import type { DownRequest } from '../ledger/requests.ts';
import { inTransaction } from '../session/session.ts';
import { replacedMark } from '../sql/marks/replaced-mark.ts';

/**
 * Returns a predicate: whether a table loses rows or values when migrations are reverted. Applies
 * `applied` to a scratch database and reverts there what `request` selects. The catalog shows which tables and columns were dropped;
 * triggers record which tables were updated, deleted from or truncated. A column with another type and a rewritten table count as lost,
 * because a later `up` may not restore their values.
 *
 * @throws MigrationRefusedError when a scratch database can't be created; MigratorError when the migrations fail on it.
 */
export function tablesTouchedByDown(
  migrated: MigratedDatabase,
  applied: readonly string[],
  request: DownRequest,
): Promise<(table: TableName) => boolean> {
  const { migratorFor } = migrated;
  return withScratchDatabase(migrated, async (scratch) => {
    await migratorFor(scratch).repeat(applied);
    await installTriggers(scratch, migrated);
    await migratorFor(scratch).down(request);
    return readTouched(scratch, migrated);
  });
}

// In the migrator's schema, which no migration uses.
const names = (schema: string) => ({
  before: `"${schema}"."tables_before"`,
  emptied: `"${schema}"."tables_emptied"`,
  recordEmptied: `"${schema}"."record_emptied"`,
});

/** Records the existing tables, and creates triggers that record which are written to. */
function installTriggers(scratch: MikroORM, { schema, tables }: MigratedDatabase): Promise<void> {
  const { before, emptied, recordEmptied } = names(schema);
  return inTransaction(scratch, async (session) => {
    await session.query(
      `create table ${before} (relation oid, namespace oid, schema text, name text, file oid, number int, type oid, modifier int)`,
    );
    await session.query(
      `insert into ${before}
       select c.oid, n.oid, nspname, relname, relfilenode, attnum, atttypid, atttypmod from ${userTables}
         left join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = ''
           -- The column that it replaces has the same values.
           and not exists (select from pg_description where classoid = 'pg_class'::regclass and objoid = attrelid and objsubid > 0
             and starts_with(description, '${replacedMark}') and description::jsonb #>> '{replaced,by}' = attname)`,
      [schema, tables.log],
    );
    // Statement triggers also fire without a row.
    await session.query(
      `create table ${emptied} (relation oid);
       create function ${recordEmptied}() returns trigger language plpgsql security definer as $record$
         begin insert into ${emptied} values (tg_relid); return null; end $record$;
       do $install$ declare one regclass; begin
         for one in select distinct relation from ${before} loop
           execute format('create trigger record_emptied after update or delete or truncate on %s
             for each statement execute function ${recordEmptied}()', one);
         end loop; end $install$`,
    );
  });
}

interface Touched extends TableName {
  /** The whole schema was dropped, with all its tables. */
  readonly withSchema: boolean;
}

async function readTouched(
  scratch: MikroORM,
  { schema }: MigratedDatabase,
): Promise<(table: TableName) => boolean> {
  const { before, emptied } = names(schema);
  const touched = await inTransaction(scratch, (session) =>
    session.query<Touched>(
      `select distinct schema, name, not exists (select from pg_namespace n where n.oid = namespace) as "withSchema"
       from ${before} b
       where not exists (select from pg_class c where c.oid = relation and c.relfilenode = file)
         or number is not null and not exists (select from pg_attribute where attrelid = relation and attnum = number
           and not attisdropped and atttypid = type and atttypmod = modifier)
         or relation in (select relation from ${emptied})`,
    ),
  );
  return (table) =>
    touched.some(
      ({ schema: found, name, withSchema }) => found === table.schema && (withSchema || name === table.name),
    );
}
