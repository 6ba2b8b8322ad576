import type { Harvest } from '../rows/harvest.ts';
import type { Parents } from '../rows/parents.ts';
import type { Pools } from '../rows/pools.ts';
import { seededRandom } from '../rows/random.ts';
import { composeRow, type RowValues } from '../rows/row.ts';
import { rowSets, specsOf, type RowSpec } from '../rows/sets.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import type { PlannedRequest } from './sending/planned-request.ts';
import { listStatement, rewriteStatement, writeStatements } from './statements.ts';

/** What the requests of a build of the code are made from. */
export interface BuildCatalog {
  /** The schema that the build knows. */
  readonly catalog: TableCatalog;
  /** The columns that it does not use, by the quoted name of their table. */
  readonly unused: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tables that it does not use, by their quoted names. */
  readonly unusedTables: ReadonlySet<string>;
  readonly pools: Pools;
  readonly harvest: Harvest;
  /** The tables that the migration touches, which get requests with varied rows. */
  readonly touched: ReadonlySet<string>;
  /** Rows that were accepted, by the definition of their table. */
  readonly templates: ReadonlyMap<string, RowValues>;
  readonly parents: Parents;
  /** The number of the first row of each table, so that two builds write other rows. */
  readonly from: number;
}

// For all tables that a migration touches.
const maxVaried = 240;

/**
 * Returns the requests of a build for each table: one that lists rows, one that writes a row back as it is, and those that insert, update, select
 * and delete a row in one transaction, with every column that can be written: a plain row, and for a table that the migration touches rows with
 * NULLs, defaults, and values at the limits of each column.
 */
export function planRequests(build: BuildCatalog): PlannedRequest[] {
  const { catalog, unusedTables, touched } = build;
  const touchedCount = catalog.tables.filter(({ name }) => touched.has(name)).length;
  const limit = Math.max(12, Math.floor(maxVaried / 3 / Math.max(touchedCount, 1)));
  return catalog.tables.flatMap((table, index) =>
    unusedTables.has(table.name) ? [] : requestsOf(build, table, index, limit),
  );
}

function requestsOf(build: BuildCatalog, full: Table, number: number, limit: number): PlannedRequest[] {
  const { pools, harvest, touched, templates, parents, from } = build;
  const table = withoutColumns(full, build.unused.get(full.name));
  if (table.columns.length === 0) return [];
  const request = (alternatives: PlannedRequest['alternatives'], column: string | null = null) => ({
    table: number,
    column,
    alternatives,
  });
  const reading = [request([[listStatement(table)]])];
  const rewrite = rewriteStatement(table);
  if (rewrite) reading.push(request([[rewrite]]));
  const template = templates.get(JSON.stringify(full));
  if (!template) return reading;
  const specs: RowSpec[] = [{ values: new Map() }];
  if (touched.has(full.name))
    for (const set of rowSets)
      specs.push(
        ...specsOf(set, table, { pools, harvest, random: seededRandom(from), limit }).slice(0, limit),
      );
  let next = from;
  const compose = (spec: RowSpec): RowValues | null => {
    const fresh = next++;
    return composeRow(table, { template, spec, pools, parents, number: fresh, fresh, tree: 'any' });
  };
  const writing = specs.flatMap((spec) => {
    // Another parent or another number may allow what the first does not.
    const rows = [compose(spec), compose(spec), compose(spec)].filter((row) => row !== null);
    const [first, second] = rows;
    if (!first) return [];
    const changed = second ? [writeStatements(table, first, second)] : [];
    const [column = null, ...more] = [...spec.values.keys(), ...(spec.omitted ?? [])];
    return [
      request(
        [...changed, ...rows.map((row) => writeStatements(table, row, row))],
        more.length > 0 ? null : column,
      ),
    ];
  });
  return [...reading, ...writing];
}

/** Returns a table without columns, and without the keys that contain one of them. */
function withoutColumns(table: Table, unused: ReadonlySet<string> | undefined): Table {
  if (!unused || unused.size === 0) return table;
  const isUsed = ({ columns }: { readonly columns: readonly string[] }): boolean =>
    !columns.some((column) => unused.has(column));
  return {
    ...table,
    columns: table.columns.filter(({ name }) => !unused.has(name)),
    keys: table.keys.filter(isUsed),
    foreignKeys: table.foreignKeys.filter(isUsed),
  };
}
