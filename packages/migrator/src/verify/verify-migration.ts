import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import type { LoadedMigration } from '../files/code-migration.ts';
import { rowSets } from '../rows/sets.ts';
import { readTables, type TableCatalog } from '../rows/tables.ts';
import { inTransaction } from '../session/session.ts';
import type { SchemaChange } from './certificate.ts';
import { compareRows } from './compare-rows.ts';
import type { Sides, VerificationContext } from './context.ts';
import { describeDirectionFailure } from './failure.ts';
import { Findings } from './findings.ts';
import { readRows, type Rows } from './read-rows.ts';
import { runDirection } from './run-direction.ts';
import { harvestOf } from './sources.ts';
import { verifySet } from './verify-set.ts';

/** What `down` has to restore. */
interface Origin {
  readonly catalog: Catalog;
  readonly isEmpty: boolean;
}

/**
 * Runs a migration up and down on a copy of a database: without rows, comparing the schemas, then with each set of generated rows, comparing
 * the rows. Leaves the copy as `up` makes it, or discards it.
 */
export async function verifyMigration(
  context: VerificationContext,
  migration: LoadedMigration,
): Promise<Findings> {
  const { workspace, report } = context;
  const findings = new Findings();
  report('the schema');
  const copy = await workspace.open();
  const origin = await originOf(context, copy);
  const sides = await verifySchema(context, migration, { copy, findings });
  if (sides === null) {
    await workspace.discard();
    return findings;
  }
  for (const set of rowSets) {
    await reuseOrDiscard(context, migration, { origin, findings, sides });
    report(`rows: ${set}`);
    await verifySet(context, migration, { copy: await workspace.open(), findings, sides, set });
  }
  await reuseOrDiscard(context, migration, { origin, findings, sides });
  await runDirection(await workspace.open(), migration, 'up');
  return findings;
}

async function originOf({ schema, log, ignored }: VerificationContext, copy: MikroORM): Promise<Origin> {
  const rows = await inTransaction(copy, async (session) =>
    readRows(session, await readTables(session, schema, log)),
  );
  return {
    catalog: ignored.without(await readCatalog(copy, schema)),
    isEmpty: [...rows.tables.values()].every((table) => table.rows.length === 0),
  };
}

/**
 * Brings the copy back to what it was before `up`: by `down`, and without rows. Discards it where that is not the same, and records a
 * difference that only rows cause.
 */
async function reuseOrDiscard(
  { workspace, schema, log, ignored }: VerificationContext,
  migration: LoadedMigration,
  {
    origin,
    findings,
    sides,
  }: { readonly origin: Origin; readonly findings: Findings; readonly sides: Sides },
): Promise<void> {
  const copy = await workspace.open();
  if (!origin.isEmpty || !sides.isReversible) return workspace.discard();
  if (await runDirection(copy, migration, 'down')) return workspace.discard();
  const found = differences(origin.catalog, ignored.without(await readCatalog(copy, schema)));
  if (found.length > 0) {
    // Without rows there was none: rows caused it.
    if (findings.differences.length === 0)
      for (const difference of found) findings.differences.push({ after: 'down', difference });
    return workspace.discard();
  }
  await inTransaction(copy, async (session) => {
    const { tables } = await readTables(session, schema, log);
    if (tables.length === 0) return;
    // A transaction that truncates makes a new file for each table and index, which takes longer.
    const names = tables.map(({ name }) => `delete from ${name}`);
    await session.query(`set local session_replication_role = replica; ${names.join('; ')}`);
  }).catch(() => workspace.discard());
}

/** Returns the schemas before and after; null when `up` fails, so that no row can be verified. */
async function verifySchema(
  { schema, log, ignored }: VerificationContext,
  migration: LoadedMigration,
  { copy, findings }: { readonly copy: MikroORM; readonly findings: Findings },
): Promise<Sides | null> {
  const catalog = async (): Promise<Catalog> => ignored.without(await readCatalog(copy, schema));
  const tablesOf = (): Promise<TableCatalog> =>
    inTransaction(copy, (session) => readTables(session, schema, log));
  const rowsOf = (tables: TableCatalog): Promise<Rows> =>
    inTransaction(copy, (session) => readRows(session, tables));
  const compare = (after: SchemaChange['after'], expected: Catalog, found: Catalog): void => {
    for (const difference of differences(expected, found)) findings.differences.push({ after, difference });
  };

  const [before, tablesBefore] = [await catalog(), await tablesOf()];
  const rowsBefore = await rowsOf(tablesBefore);
  const failure = await runDirection(copy, migration, 'up');
  if (failure) {
    findings.failures.push(`up fails without rows: ${describeDirectionFailure(failure)}`);
    return null;
  }
  const [after, tablesAfter] = [await catalog(), await tablesOf()];
  const rowsAfter = await rowsOf(tablesAfter);
  const changes = differences(before, after);
  const hasDown = await migration.emit('down').then(
    () => true,
    () => false,
  );
  const harvest = await harvestOf([migration], [tablesBefore, tablesAfter]);
  const sides: Sides = {
    before: tablesBefore,
    after: tablesAfter,
    changes,
    isReversible: false,
    isRepeatable: false,
    harvest,
    pools: new Map(),
  };
  findings.isIrreversible = !hasDown;
  if (!hasDown) return sides;
  const failureDown = await runDirection(copy, migration, 'down');
  if (failureDown) {
    findings.failures.push(`down fails without rows: ${describeDirectionFailure(failureDown)}`);
    return sides;
  }
  sides.isReversible = true;
  compare('down', before, await catalog());
  for (const one of compareRows(rowsBefore, await rowsOf(await tablesOf()))) findings.addLoss('up', one);
  const failureAgain = await runDirection(copy, migration, 'up');
  if (failureAgain) {
    // What `down` did not restore is the cause, and is named already.
    if (findings.differences.length === 0)
      findings.failures.push(`up fails after down, without rows: ${describeDirectionFailure(failureAgain)}`);
    return sides;
  }
  sides.isRepeatable = true;
  compare('up', after, await catalog());
  for (const one of compareRows(rowsAfter, await rowsOf(await tablesOf()))) findings.addLoss('down', one);
  return sides;
}
