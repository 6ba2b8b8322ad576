import type { TableCatalog } from '../rows/tables.ts';
import { poolSession, type Session } from '../session/session.ts';
import type { Workspace } from '../verify/workspace.ts';
import type { TableStatistics } from './table-statistics.ts';

/** The labels of tables by their ids, which a rename does not change, nor a copy of the database. */
export type TableIds = ReadonlyMap<number, string>;

/** Returns the ids of all tables. */
export async function readTableIds(session: Session): Promise<TableIds> {
  const rows = await session.query<{ id: number; label: string }>(
    `select c.oid::int8::float8 as id, case nspname when 'public' then '' else quote_ident(nspname) || '.' end || quote_ident(relname) as label
     from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'p')`,
  );
  return new Map(rows.map(({ id, label }) => [id, label]));
}

/** Returns the statistics of tables of a copy, by their names there; those of a table that was renamed are under its former label. */
export async function statisticsOf(
  workspace: Workspace,
  { tables }: TableCatalog,
  {
    statistics,
    originals,
  }: { readonly statistics: ReadonlyMap<string, TableStatistics>; readonly originals: TableIds },
): Promise<ReadonlyMap<string, TableStatistics>> {
  const ids = await readTableIds(poolSession(await workspace.open()));
  const former = new Map([...ids].map(([id, label]) => [label, originals.get(id)]));
  return new Map(
    tables.flatMap(({ name, label }) => {
      const found = statistics.get(former.get(label) ?? '');
      return found ? [[name, found] as const] : [];
    }),
  );
}
