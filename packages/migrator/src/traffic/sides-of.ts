import { readCatalog } from '../catalog/catalog.ts';
import { differences, type Difference } from '../catalog/differences.ts';
import type { LoadedMigration } from '../files/code-migration.ts';
import { fillTables } from '../rows/fill.ts';
import type { Harvest } from '../rows/harvest.ts';
import { Pools } from '../rows/pools.ts';
import { createFunctions } from '../rows/server-functions.ts';
import { readTables, type TableCatalog } from '../rows/tables.ts';
import { inTransaction } from '../session/session.ts';
import type { VerificationContext } from '../verify/context.ts';
import { runDirection } from '../verify/run-direction.ts';
import { harvestOf } from '../verify/sources.ts';
import type { Workspace } from '../verify/workspace.ts';

/** The schemas on both sides of a migration, and what the requests of each are made from. */
export interface TrafficSides {
  readonly before: TableCatalog;
  readonly after: TableCatalog;
  /** The values of the schema after `up`. */
  readonly poolsAfter: Pools;
  readonly harvest: Harvest;
  readonly changes: readonly Difference[];
}

/** Applies a migration to a copy without books, which is discarded, and returns both sides; null when `up` fails. */
export async function trafficSidesOf(
  { schema, log, ignored, learned, templates }: VerificationContext,
  workspace: Workspace,
  migration: LoadedMigration,
): Promise<TrafficSides | null> {
  const copy = await workspace.open();
  try {
    const tables = (): Promise<TableCatalog> =>
      inTransaction(copy, (session) => readTables(session, schema, log));
    const [before, catalogBefore] = [await tables(), ignored.without(await readCatalog(copy, schema))];
    if (await runDirection(copy, migration, 'up')) return null;
    const [after, catalogAfter] = [await tables(), ignored.without(await readCatalog(copy, schema))];
    const harvest = await harvestOf([migration], [before, after]);
    const poolsAfter = await inTransaction(copy, async (session) => {
      await createFunctions(session);
      const pools = await Pools.learn(session, { tables: after, other: before, harvest, learned });
      // For the row that each table accepts.
      const filling = { tables: after, pools, harvest, touched: new Set<string>(), templates };
      await fillTables(session, filling, 'plain', 1);
      return pools;
    });
    return { before, after, poolsAfter, harvest, changes: differences(catalogBefore, catalogAfter) };
  } finally {
    await workspace.discard();
  }
}
