import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlStateOf } from '../database/translate-error.ts';
import { StatementError } from '../errors.ts';

const savepoint = 'begun_by_rollback';

// PostgreSQL's answers to a statement about a savepoint.
const outsideTransaction = '25P01';
const noSuchSavepoint = '3B001';
const inFailedTransaction = '25P02';

/**
 * The transaction of a test, recognized at the end of the test by a savepoint. A savepoint ends with its transaction, whatever ends
 * that: `commit`, `rollback`, either with `and chain`, `prepare transaction`. PostgreSQL finds it in a failed transaction too, in which
 * it answers no query.
 */
export class BegunTransaction {
  readonly #em: EntityManager;

  private constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Marks the transaction that `em` is in. */
  static async mark(em: EntityManager): Promise<BegunTransaction> {
    await em.execute(`savepoint ${savepoint}`);
    return new BegunTransaction(em);
  }

  /**
   * Whether a statement has failed in the transaction, so that it takes no others.
   *
   * @throws StatementError when `em` is in another transaction by now, or in none.
   */
  async hasFailed(): Promise<boolean> {
    if ((await this.#run(`release savepoint ${savepoint}`)) !== inFailedTransaction) return false;
    await this.#run(`rollback to savepoint ${savepoint}`);
    return true;
  }

  /** The SQLSTATE by which the statement was refused. */
  async #run(statement: string): Promise<string | undefined> {
    try {
      await this.#em.execute(statement);
      return undefined;
    } catch (error) {
      const state = sqlStateOf(error);
      if (state === inFailedTransaction) return state;
      if (state !== outsideTransaction && state !== noSuchSavepoint && !this.#wasEndedByHandle()) throw error;
      throw new StatementError(
        'the transaction of `rollback` was ended by what ran in it (commit, rollback or prepare transaction): the database may hold ' +
          'its rows now. Drop it, make another with `TestDatabase.create()`, and leave the end of the transaction to `rollback`; what ' +
          'is to be rolled back alone goes into `uow.transact`',
        {},
        { cause: error },
      );
    }
  }

  /** Whether another handle of the transaction ended it. The query builder then sends nothing, so that PostgreSQL has no answer. */
  #wasEndedByHandle(): boolean {
    const context = this.#em.getTransactionContext<{ isCommitted: boolean; isRolledBack: boolean }>();
    return context !== undefined && (context.isCommitted || context.isRolledBack);
  }
}
