import type { MikroORM } from '@mikro-orm/postgresql';
import type { LoadedMigration } from '../files/code-migration.ts';
import type { TableCatalog } from '../rows/tables.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { inTransaction } from '../session/session.ts';
import { deleteRefused } from '../verify/refused-by-constraints.ts';
import { tryDirection } from '../verify/run-direction.ts';
import { setRowsAside } from '../verify/set-aside.ts';

const maxFailures = 8;

/**
 * Deletes the generated rows that make `up` fail, by trials that are rolled back: which rows it refuses is certified apart from traffic. Deletes all
 * where single ones can't be found, and none where it can't run in a transaction.
 */
export async function removeRefusedRows(
  copy: MikroORM,
  migration: LoadedMigration,
  { tables, target }: { readonly tables: TableCatalog; readonly target: TableCatalog },
): Promise<void> {
  const direction = 'up';
  for (let attempt = 0; attempt < maxFailures; attempt++) {
    const failure = await tryDirection(copy, migration, direction, async () => {});
    if (!failure || findSqlState(failure.error) === '25001') return;
    const refused = await deleteRefused({ copy, migration, direction, tables, target });
    if (refused.length > 0) continue;
    if ((await setRowsAside({ copy, migration, direction, tables, failure })) === null) break;
  }
  if (tables.tables.length === 0) return;
  await inTransaction(copy, async (session) => {
    await session.query(`truncate ${tables.tables.map(({ name }) => name).join(', ')}`);
  });
}
