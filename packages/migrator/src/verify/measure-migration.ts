import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { fillToSize, type TableSizes } from '../measure/fill-to-size.ts';
import { measureRun } from '../measure/measure-run.ts';
import type { Measurement } from '../measure/measurement.ts';
import type { FilledTable } from '../rows/multiply.ts';
import { readTables, type Table, type TableCatalog } from '../rows/tables.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { inTransaction } from '../session/session.ts';
import type { VerificationContext } from './context.ts';
import { runDirection } from './run-direction.ts';
import { harvestOf, touchedTables } from './sources.ts';

// Each has a reader and a writer.
const probedTables = 12;

/**
 * Runs a migration up and down on a copy whose tables that it touches have `rows` generated rows, while readers and writers use them, and
 * returns what each statement took. Discards the copy.
 */
export async function measureMigration(
  context: VerificationContext,
  migrated: MigratedDatabase,
  migration: LoadedMigration,
  rows: number,
): Promise<Measurement> {
  context.report(`locks and time at ${rows} rows`);
  const sides = await sidesOf(context, migration, 'up');
  if (sides === null) return { rows, tables: [], statements: [], failures: ['up fails without rows'] };
  // Values that vary may be refused by what the migration adds.
  const varied = await measure(context, migrated, migration, { sides, rows, isVaried: true });
  if (varied.failures.length === 0) return varied;
  const repeated = await measure(context, migrated, migration, { sides, rows, isVaried: false });
  return repeated.failures.length < varied.failures.length ? repeated : varied;
}

/** The schema before and after a direction, and the tables that the migration touches, by their quoted names. */
export interface MeasuredSides {
  readonly before: TableCatalog;
  readonly after: TableCatalog;
  readonly harvest: Awaited<ReturnType<typeof harvestOf>>;
  readonly touched: ReadonlySet<string>;
}

/** Returns the schema on both sides of a direction; null when it fails without rows. */
export async function sidesOf(
  context: VerificationContext,
  migration: LoadedMigration,
  direction: Direction,
): Promise<MeasuredSides | null> {
  const { workspace } = context;
  await workspace.discard();
  const copy = await workspace.open();
  try {
    const before = await tablesOf(context, copy);
    if (await runDirection(copy, migration, direction)) return null;
    const after = await tablesOf(context, copy);
    const harvest = await harvestOf([migration], [before, after]);
    const touched = new Set([before, after].flatMap((side) => [...touchedTables(side, harvest, [])]));
    return { before, after, harvest, touched };
  } finally {
    await workspace.discard();
  }
}

async function measure(
  context: VerificationContext,
  migrated: MigratedDatabase,
  migration: LoadedMigration,
  {
    sides,
    rows,
    isVaried,
  }: { readonly sides: MeasuredSides; readonly rows: number; readonly isVaried: boolean },
): Promise<Measurement> {
  const { workspace, learned } = context;
  const { hasDown } = migration;
  const { before, after, harvest, touched } = sides;
  const failures: string[] = [];
  const failed = (direction: string, error: unknown): void => {
    failures.push(`${direction} fails on these rows: ${describeServerError(error, [])}`);
  };
  const sizes: TableSizes = { touched, rowsOf: () => rows, shapeOf: isVaried ? () => varied : () => null };
  const copy = await workspace.open();
  try {
    // Rows that were accepted before another migration may be refused by this one.
    const filling = { harvest, learned, templates: new Map() };
    const tables = await fillToSize(copy, { ...filling, tables: before, other: after, sizes });
    const up = await measureRun({
      migrated,
      copy,
      migration,
      direction: 'up',
      probed: probedOf(before, touched),
    });
    if (up.error !== null) failed('up', up.error);
    if (up.error !== null || !hasDown) return { rows, tables: tables, statements: up.statements, failures };
    const added = await fillToSize(copy, { ...filling, tables: after, other: before, sizes });
    const down = await measureRun({
      migrated,
      copy,
      migration,
      direction: 'down',
      probed: probedOf(after, touched),
    });
    if (down.error !== null) failed('down', down.error);
    return {
      rows,
      tables: merged(tables, added),
      statements: [...up.statements, ...down.statements],
      failures,
    };
  } finally {
    await workspace.discard();
  }
}

// As those of a table whose values are not known.
const varied = { nullFraction: 0, distinct: -1, width: null, isOrdered: false };

function probedOf({ tables }: TableCatalog, touched: ReadonlySet<string>): Table[] {
  return tables.filter(({ name }) => touched.has(name)).slice(0, probedTables);
}

function merged(before: readonly FilledTable[], after: readonly FilledTable[]): FilledTable[] {
  return [...before, ...after.filter(({ table }) => !before.some((one) => one.table === table))];
}

function tablesOf({ schema, log }: VerificationContext, copy: MikroORM): Promise<TableCatalog> {
  return inTransaction(copy, (session) => readTables(session, schema, log));
}
