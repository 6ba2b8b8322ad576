import type { Pool } from 'pg';
import { seeded } from '../seed.ts';
import type { Task } from './peer.ts';

/** What a task returns or changes: the number of rows, or a query that counts them after `before`. */
const work: Record<Task, { readonly rows: number; readonly before?: string; readonly count?: string }> = {
  'get one by key (read model)': { rows: 1 },
  'get one by key (managed)': { rows: 1 },
  'page of 50 with total and summary flags': { rows: 50 },
  '500 outcomes of an analysis (JSON in each)': { rows: 500 },
  'insert one in a transaction': { rows: 1, count: `select from experiments where name = 'n'` },
  'insert 5,000 outcomes': {
    rows: 5_000,
    count: `select from synth_outcomes where analysis_id = '${seeded.bulk}' and synth_attributes is not null`,
  },
  'load 500, change 200, commit (managed)': {
    rows: 200,
    before: 'update scenario_nodes set execution_time_seconds = null',
    count: 'select from scenario_nodes where execution_time_seconds is not null',
  },
  'change 200 of 500 by one set-based call': {
    rows: 200,
    before: `update scenario_nodes set node_status = 'active'`,
    count: `select from scenario_nodes where node_status = 'dominated'`,
  },
};

/**
 * Runs a task once and checks that it returns or changes what it should.
 *
 * @throws Error when it does not: its time would mean nothing.
 */
export async function checkWork(
  task: string,
  {
    who,
    run,
    reset,
    sql,
  }: {
    readonly who: string;
    readonly run: () => Promise<unknown>;
    readonly reset: (() => Promise<unknown>) | undefined;
    readonly sql: Pool;
  },
): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undefined for a task of another name
  const expected = work[task as Task] as (typeof work)[Task] | undefined;
  if (!expected) throw new Error(`${task}: say in check-work.ts what it does`);
  if (expected.before !== undefined) await sql.query(expected.before);
  const result = await run();
  const rows =
    expected.count === undefined ? rowsIn(result) : ((await sql.query(expected.count)).rowCount ?? 0);
  await reset?.();
  if (rows !== expected.rows) throw new Error(`${task} by ${who}: ${rows} rows instead of ${expected.rows}`);
}

/** Returns the number of rows of a result: a row, rows, or an object or a list with rows in it. */
function rowsIn(result: unknown): number {
  if (typeof result !== 'object' || result === null) return 0;
  const inside = Object.values(result).find((value) => Array.isArray(value) && typeof value[0] === 'object');
  if (Array.isArray(inside) && !('id' in result)) return inside.length;
  return Array.isArray(result) ? result.length : 1;
}
