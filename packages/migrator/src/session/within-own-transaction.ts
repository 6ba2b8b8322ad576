import type { Session } from './session.ts';
import { findSqlState } from './find-sql-state.ts';
import { TransactionEndedError } from './transaction-ended-error.ts';

/** A savepoint exists in the transaction that created it only, so that it proves that this is still the same one. */
const savepoint = '"mikro_orm_safe_migrations"';

// No transaction, or one without the savepoint.
const ended: ReadonlySet<string> = new Set(['25P01', '3B001']);

/**
 * Runs `work` in the open transaction of `session`, and asks the server afterwards whether that transaction is still open: a `commit`
 * that was not found in the text, such as one that other code sent over the same connection, would keep a half of the work. When `work`
 * throws, it is rolled back to its beginning, so that the transaction accepts statements again.
 *
 * @throws TransactionEndedError, and what `work` throws.
 */
export async function withinOwnTransaction<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const [begun] = await session.query<{ id: string }>('select pg_current_xact_id()::text as id');
  const id = begun?.id ?? '';
  await session.query(`savepoint ${savepoint}`);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // Where the connection was lost, this fails too.
    const state = await stateOf(session.query(`rollback to ${savepoint}`));
    if (!ended.has(state)) throw error;
    throw new TransactionEndedError(`${messageOf(error)}. ${await whatWasKept(session, id)}`);
  }
  try {
    await session.query(`release ${savepoint}`);
  } catch (error) {
    if (!ended.has(findSqlState(error))) throw error;
    throw new TransactionEndedError(await whatWasKept(session, id));
  }
  return result;
}

/** Returns the SQLSTATE that a query fails with; empty if it succeeds, or fails without one. */
async function stateOf(query: Promise<unknown>): Promise<string> {
  try {
    await query;
    return '';
  } catch (error) {
    return findSqlState(error);
  }
}

async function whatWasKept(session: Session, id: string): Promise<string> {
  // Its statements after that may have begun another one.
  await session.query('rollback');
  const [row] = await session.query<{ status: string; prepared: string | null }>(
    `select pg_xact_status($1::xid8) as status,
       (select gid from pg_prepared_xacts where transaction = $1::xid8::xid) as prepared`,
    [id],
  );
  const first =
    row?.prepared != null
      ? `what it did before that is in the prepared transaction ${JSON.stringify(row.prepared)}, which keeps its locks: commit or roll it back`
      : row?.status === 'committed'
        ? 'what it did before that was kept'
        : 'what it did before that was rolled back';
  return `Its code ended the transaction that the migrator began: ${first}; statements after that had no common transaction, and what they did was kept`;
}

function messageOf(error: unknown): string {
  const state = findSqlState(error);
  return state === '' ? String(error) : `It failed (SQLSTATE ${state})`;
}
