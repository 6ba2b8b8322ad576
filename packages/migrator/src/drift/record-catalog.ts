import { createHash } from 'node:crypto';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { isScratch } from '../catalog/scratch-database.ts';
import type { Lease } from '../lease/lease.ts';
import type { MigratorTables } from '../ledger/tables.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { describedObjects, prepareReading } from './applied-state.ts';

/** The digest of the query by which a catalog was recorded: another version of this package may describe the same schema differently. */
export const queryDigest = createHash('sha256').update(describedObjects).digest('hex');

/**
 * Returns SQL for which tables hold the records. Those of a restored dump have other numbers than their origin, which a copy of the files, a
 * standby and an upgrade by `pg_upgrade` keep.
 */
export function placeOf({ history, catalog }: Pick<MigratorTables, 'history' | 'catalog'>): string {
  return `concat_ws(' ', '${history}'::regclass::oid, '${catalog}'::regclass::oid)`;
}

/**
 * Records the schema as this run leaves it, if the run has changed what is applied. The holder of the lease calls it after the last commit,
 * so that no lock of a migration is held meanwhile: after a run that was killed before, the schema is unknown. Never throws: a run does
 * not fail because the schema can't be recorded.
 */
export async function recordCatalog(
  { orm, schema, tables }: Pick<MigratedDatabase, 'orm' | 'schema' | 'tables'>,
  lease: Lease,
): Promise<void> {
  if (isScratch(orm)) return;
  const { catalog } = tables;
  try {
    await inTransaction(orm, async (session) => {
      const reader = await prepareReading(session, schema, tables);
      await lease.guard(session);
      const { applied, unfinished } = await reader.state();
      await ensureTable(session, catalog);
      const recorded = await session.query(`select from ${catalog} where applied = $1 and query = $2`, [
        applied,
        queryDigest,
      ]);
      if (unfinished || recorded.length > 0) return;
      await session.query(
        `insert into ${catalog} (applied, query, place, server_version, objects)
         select $4, $5, ${placeOf(tables)}, current_setting('server_version_num')::int,
           coalesce(jsonb_object_agg(object, described), '{}') from (${describedObjects}) objects
         on conflict (one) do update set applied = excluded.applied, query = excluded.query, place = excluded.place,
           server_version = excluded.server_version, objects = excluded.objects, recorded_at = clock_timestamp()`,
        [...reader.values, applied, queryDigest],
      );
    });
  } catch {
    // What was recorded before is of another state, and is not compared.
  }
}

// Not with the tables that a run needs: a role that may not create this one can still migrate.
async function ensureTable(session: Session, catalog: string): Promise<void> {
  const [found] = await session.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [
    catalog,
  ]);
  if (found?.exists) return;
  await session.query(`
    create table ${catalog} (
      one boolean primary key default true check (one),
      applied text not null,
      query text not null,
      place text not null,
      server_version integer not null,
      recorded_at timestamptz not null default clock_timestamp(),
      -- By their names, the text of [[part, position, facts]].
      objects jsonb not null
    )`);
}
