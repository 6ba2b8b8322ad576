import type { Direction } from '../files/code-migration.ts';
import { isDeclaredBy, type Declarations } from '../files/declarations.ts';
import type { Table, TableCatalog } from '../rows/tables.ts';
import type { TrafficFailure } from '../verify/traffic-report.ts';
import { labelOfColumn } from './labels.ts';
import type { RequestFailure } from './sending/planned-request.ts';

/** Whose requests failed, and the schemas on both sides. */
export interface FailureSource {
  readonly code: 'old' | 'new';
  readonly during: Direction;
  readonly failures: readonly RequestFailure[];
  /** The schema that the requests were made from. */
  readonly own: TableCatalog;
  readonly other: TableCatalog;
  readonly declarations: Declarations;
}

/** Returns the failures of generated requests by the table or column that they are about, each once. */
export function explainFailures(source: FailureSource): TrafficFailure[] {
  const found = new Map<string, TrafficFailure>();
  for (const failure of source.failures) {
    if (isConflictOfRows(failure, source)) continue;
    const one = explain(failure, source);
    const { state, constraint } = failure.error;
    const key = JSON.stringify([one.object, state, constraint]);
    const known = found.get(key);
    found.set(key, known ? { ...known, requests: known.requests + one.requests } : one);
  }
  return [...found.values()];
}

function explain(failure: RequestFailure, source: FailureSource): TrafficFailure {
  const { code, during, own, declarations } = source;
  const { error, statement, requests } = failure;
  const table = tableOf(failure, own);
  const columns = table ? columnsOf(failure, table, source) : [];
  const [column, ...more] = columns;
  const object = !table
    ? ''
    : column !== undefined && more.length === 0
      ? labelOfColumn(table, column)
      : table.label;
  const declared =
    table && isOfRow(error.state)
      ? declarations.refuses.find((one) =>
          [null, ...columns].some((name) =>
            isDeclaredBy(one, { schema: table.schema, table: table.relation, column: name }),
          ),
        )
      : undefined;
  return {
    code,
    during,
    object,
    what: `${statement}: ${error.message}`,
    requests,
    declared: declared?.reason ?? null,
  };
}

// The row is refused: by its values, a constraint, the condition of a view, or code.
function isOfRow(state: string): boolean {
  return /^(?:2[23]|44|P0)/.test(state);
}

function tableOf({ request, error }: RequestFailure, { tables }: TableCatalog): Table | undefined {
  const named = tables.find(({ relation, schema }) => relation === error.table && schema === error.schema);
  return named ?? (typeof request === 'number' ? tables[request] : undefined);
}

/** Returns the columns that a failure is about: by the server's error, by what differs between the schemas, else by the request's row. */
function columnsOf({ error, column }: RequestFailure, table: Table, { own, other }: FailureSource): string[] {
  if (error.column !== null) return [error.column];
  const latter = other.tables.find(({ name }) => name === table.name);
  const constraints = [table, ...(latter ? [latter] : [])].flatMap(({ checks, keys, foreignKeys }) => [
    ...checks,
    ...keys,
    ...foreignKeys,
  ]);
  const constraint = constraints.find(({ name }) => name === error.constraint);
  if (constraint) return [...constraint.columns];
  if (latter && error.state === '42703')
    return table.columns
      .map(({ name }) => name)
      .filter((name) => !latter.columns.some((one) => one.name === name));
  if (latter && /^(?:22|42804)/.test(error.state)) {
    const changed = table.columns
      .filter(({ name, declared, type }) => {
        const now = latter.columns.find((one) => one.name === name);
        return now && (now.declared !== declared || labelsOf(own, type) !== labelsOf(other, now.type));
      })
      .map(({ name }) => name);
    if (column !== null && changed.includes(column)) return [column];
    return changed;
  }
  return column === null || !/^(?:2[23]|44)/.test(error.state) ? [] : [column];
}

function labelsOf({ types }: TableCatalog, type: string): string {
  return (types.get(type)?.labels ?? []).join('\n');
}

/**
 * Whether two generated rows had the same key, as those of two builds at once may: one of a key that the migration does not change. Not a
 * finding about the migration.
 */
function isConflictOfRows({ error }: RequestFailure, { own, other }: FailureSource): boolean {
  if (!['23505', '23P01'].includes(error.state)) return false;
  const keyIn = ({ tables }: TableCatalog): string | undefined => {
    const table = tables.find(({ relation, schema }) => relation === error.table && schema === error.schema);
    const key = table?.keys.find(({ name }) => name === error.constraint);
    return key && JSON.stringify(key);
  };
  const known = keyIn(own);
  return known !== undefined && known === keyIn(other);
}
