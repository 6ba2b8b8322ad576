import { setTimeout } from 'node:timers/promises';
import { rowsMark } from '../catalog/server-guard.ts';
import type { Table } from '../rows/tables.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';

/** A time that a session waited for an answer, by `performance.now()`. */
export interface Wait {
  /** Quoted as in SQL, without `public`. */
  readonly table: string;
  readonly does: 'reads' | 'writes';
  readonly began: number;
  readonly ended: number;
}

// In milliseconds: between two statements of a probe, and for how long one waits for a lock. A probe that waits for a row must let go of its
// table's lock, because the migration may need a stronger one.
const pause = 3;
const lockTimeout = 200;

/** A reader and a writer of each table, which record how long they wait. Needs two connections for each table. */
export class StallProbes {
  readonly #session: Session;
  readonly #stopped = new AbortController();
  readonly #waits: Wait[] = [];
  readonly #work: Promise<unknown>;

  /** Begins to probe. `session` runs each query on a free connection. */
  constructor(session: Session, tables: readonly Table[]) {
    this.#session = session;
    this.#work = Promise.all(
      tables.flatMap((table) => [
        this.#probe(table.label, 'reads', `select from ${table.name} limit 1`),
        this.#probe(table.label, 'writes', writeOf(table)),
      ]),
    );
  }

  /** Ends the probes, and returns their waits. */
  async stop(): Promise<readonly Wait[]> {
    this.#stopped.abort();
    await this.#work;
    return this.#waits;
  }

  async #probe(table: string, does: Wait['does'], sql: string): Promise<void> {
    const text = `${rowsMark}set lock_timeout = ${lockTimeout}; ${sql}`;
    while (!this.#stopped.signal.aborted) {
      const began = performance.now();
      while (await this.#isTimedOut(text)) if (this.#stopped.signal.aborted) break;
      this.#waits.push({ table, does, began, ended: performance.now() });
      await setTimeout(pause);
    }
  }

  async #isTimedOut(text: string): Promise<boolean> {
    try {
      await this.#session.query(text);
      return false;
    } catch (error) {
      // Another error comes after the wait too, as where the table was dropped.
      return findSqlState(error) === '55P03';
    }
  }
}

/**
 * Returns what a writer waits for, without a change: the lock on the table, then the one on a row. An update would move the row, and could
 * stay ahead of a migration that writes one row after the other.
 */
function writeOf({ name }: Table): string {
  return `lock table ${name} in row exclusive mode; select from ${name} limit 1 for no key update`;
}
