import { setTimeout } from 'node:timers/promises';
import { quoteName, type Backfill } from '../files/backfill.ts';
import { transactionTimeouts } from './context/limits.ts';
import { withBlockerReports } from './locks/with-blocker-reports.ts';
import { retryWhileLocked } from './locks/retry-while-locked.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';
import { withSessionRestored } from '../session/restore-session.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';

/** The position of a backfill. */
export interface Checkpoint {
  /** The key of the last row, each column as text. */
  readonly key: readonly string[];
  /** How many rows were processed. */
  readonly rows: number;
}

/** Where a backfill stores its checkpoint. */
export interface CheckpointStore {
  readonly initial: Checkpoint | null;
  /** Stores the checkpoint in the transaction of a batch; `last` when the backfill is done. */
  save(session: Session, checkpoint: Checkpoint, last: boolean): Promise<void>;
}

/**
 * Runs a backfill from its checkpoint, each batch in one transaction together with the new checkpoint, and restores the session after each.
 */
export async function runBackfill(
  run: Run,
  step: Step,
  backfill: Backfill,
  store: CheckpointStore,
): Promise<void> {
  const types = await keyTypes(poolSession(run.orm), backfill);
  const name = step.migration.name;
  const texts = [backfill.set, backfill.where ?? ''];
  const pace = new Pace(await estimate(poolSession(run.orm), backfill, types, store.initial));
  let checkpoint = store.initial;
  for (;;) {
    const from = checkpoint;
    const { to, last } = await retryWhileLocked(run, name, () =>
      inTransaction(run.orm, async (session) => {
        // Code of the update, such as a trigger, may leave something in the session for the next batch.
        const batch = await withSessionRestored(session, [...texts], async () => {
          await session.query(transactionTimeouts(run.limits, step));
          await run.lease.guard(session);
          return withBlockerReports(run, name, () => sendBatch(session, backfill, types, from));
        });
        await store.save(session, batch.to, batch.last);
        return batch;
      }),
    );
    const rows = to.rows - (from?.rows ?? 0);
    run.report({ kind: 'batch', name, table: backfill.table, rows: to.rows, ...pace.after(rows) });
    if (last) return;
    checkpoint = to;
    if (backfill.sleep > 0) await setTimeout(backfill.sleep, undefined, { signal: run.signal });
  }
}

interface Batch {
  readonly to: Checkpoint;
  readonly last: boolean;
}

/** Updates the rows of the next keys. Rows that do not match count too, so that no batch reads the whole table. */
async function sendBatch(
  session: Session,
  { table, by, set, where, batch }: Backfill,
  types: readonly string[],
  from: Checkpoint | null,
): Promise<Batch> {
  const columns = by.map(quoteName);
  const key = columns.join(', ');
  const [end] = await session.query<{ rows: number; key: string }>(
    `select (count(*) over ())::int as rows, jsonb_build_array(${columns.map((column) => `${column}::text`).join(', ')})::text as key
     from (select ${key} from ${quoteName(table)} where ${from ? after(columns, types) : 'true'} order by ${key} limit ${batch}) next
     order by ${columns.map((column) => `${column} desc`).join(', ')} limit 1`,
    from?.key,
  );
  if (!end) return { to: from ?? { key: [], rows: 0 }, last: true };
  const upTo = keyOf(end.key);
  const bounds = [`(${key}) <= (${parameters(types, 0)})`];
  if (from) bounds.push(after(columns, types, types.length));
  if (where !== null) bounds.push(`(\n  ${where}\n)`);
  await session.query(`update ${quoteName(table)} set\n  ${set}\nwhere ${bounds.join(' and ')}`, [
    ...upTo,
    ...(from?.key ?? []),
  ]);
  return { to: { key: upTo, rows: (from?.rows ?? 0) + end.rows }, last: end.rows < batch };
}

function after(columns: readonly string[], types: readonly string[], offset = 0): string {
  return `(${columns.join(', ')}) > (${parameters(types, offset)})`;
}

// Keys are read as text and cast back to their types.
function parameters(types: readonly string[], offset: number): string {
  return types.map((type, index) => `$${offset + index + 1}::text::${type}`).join(', ');
}

/**
 * Returns the types of the key's columns.
 *
 * @throws Error when they can't order the batches.
 */
async function keyTypes(session: Session, { table, by }: Backfill): Promise<string[]> {
  const columns = await session.query<{ name: string; type: string | null; nullable: boolean | null }>(
    `select name, format_type(atttypid, atttypmod) as type, not attnotnull as nullable
     from unnest($2::text[]) with ordinality named(name, position)
       left join pg_attribute on attrelid = to_regclass($1) and attname = name and attnum > 0 and not attisdropped
     order by position`,
    [quoteName(table), by],
  );
  const types = columns.map(({ name, type, nullable }) => {
    if (type === null)
      throw new Error(`backfill: ${table} has no column ${JSON.stringify(name)} to order by`);
    if (nullable)
      throw new Error(
        `backfill: ${table} can't be ordered by ${name}, which allows nulls: use its primary key`,
      );
    return type;
  });
  const indexes = await session.query(
    `select 1 from pg_index join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam and amname = 'btree'
     where indrelid = to_regclass($1) and indisvalid and indpred is null
       and (string_to_array(indkey::text, ' '))[1:cardinality($2::text[])] = array(
         select attnum::text from unnest($2::text[]) with ordinality named(name, position)
           join pg_attribute on attrelid = to_regclass($1) and attname = name order by position)`,
    [quoteName(table), by],
  );
  if (indexes.length === 0) {
    throw new Error(
      `backfill: no index of ${table} begins with ${by.join(', ')}, and each batch would read the whole table: use its primary key, or create an index`,
    );
  }
  return types;
}

/** Returns how many rows the planner expects after the checkpoint. */
async function estimate(
  session: Session,
  { table, by }: Backfill,
  types: readonly string[],
  from: Checkpoint | null,
): Promise<number> {
  const rows = await session.query<{ 'QUERY PLAN': string | [PlanRows] }>(
    `explain (format json) select from ${quoteName(table)} where ${from ? after(by.map(quoteName), types) : 'true'}`,
    from?.key,
  );
  const plan = rows[0]?.['QUERY PLAN'];
  // The ORM may configure the driver to return JSON unparsed.
  const [top]: PlanRows[] = typeof plan === 'string' ? JSON.parse(plan) : (plan ?? []);
  return top?.Plan['Plan Rows'] ?? 0;
}

interface PlanRows {
  readonly Plan: { readonly 'Plan Rows': number };
}

/** Computes rows per second and the remaining time of a run. */
class Pace {
  readonly #begun = performance.now();
  readonly #expected: number;
  #rows = 0;

  constructor(expected: number) {
    this.#expected = expected;
  }

  after(rows: number): { rowsPerSecond: number; remaining: number | null } {
    this.#rows += rows;
    const seconds = (performance.now() - this.#begun) / 1_000;
    const rowsPerSecond = Math.round(this.#rows / seconds);
    const left = this.#expected - this.#rows;
    const known = left >= 0 && rowsPerSecond > 0;
    return { rowsPerSecond, remaining: known ? Math.round((left / rowsPerSecond) * 1_000) : null };
  }
}

/** Parses a stored checkpoint. */
export function parseCheckpoint(text: string): Checkpoint {
  const { key, rows }: { key: unknown; rows: unknown } = JSON.parse(text);
  return { key: keyOf(JSON.stringify(key)), rows: Number(rows) };
}

/** Whether a stored place is the checkpoint of a backfill. */
export function isCheckpoint(text: string): boolean {
  const place: unknown = JSON.parse(text);
  return typeof place === 'object' && place !== null && 'key' in place;
}

function keyOf(text: string): string[] {
  const key: unknown = JSON.parse(text);
  if (!Array.isArray(key)) throw new Error(`a backfill's checkpoint is not a list: ${text}`);
  return key.map(String);
}
