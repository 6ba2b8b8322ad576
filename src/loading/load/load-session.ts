import type { EntityManager } from '@mikro-orm/postgresql';
import { copyIn } from '../../postgres/copy/copy-in.ts';
import type { PlannedStatement } from './load-options.ts';

/** Counts the rows that were read so far. */
export interface RowCounter {
  readonly count: number;
}

/** Runs the statements of a load. */
export interface LoadSession {
  /** Returns the statement's first row; an empty object when it returns none. */
  run(sql: string): Promise<Readonly<Record<string, number>>>;
  /** Runs the COPY `sql` with the encoded rows, and returns how many were copied. */
  copy(sql: string, counter: RowCounter, chunks: AsyncIterable<Buffer>): Promise<number>;
}

/** Sends the statements on the connection of a unit of work. */
export class ConnectionSession implements LoadSession {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  async run(sql: string): Promise<Readonly<Record<string, number>>> {
    const [row = {}] = await this.#em.execute<Record<string, number>[]>(sql);
    return row;
  }

  copy(sql: string, _counter: RowCounter, chunks: AsyncIterable<Buffer>): Promise<number> {
    return copyIn(this.#em, sql, chunks);
  }
}

/** Records the statements and sends nothing. */
export class PlanningSession implements LoadSession {
  readonly statements: PlannedStatement[] = [];

  async run(sql: string): Promise<Readonly<Record<string, number>>> {
    this.statements.push({ sql, rows: 0 });
    return {};
  }

  async copy(sql: string, counter: RowCounter, chunks: AsyncIterable<Buffer>): Promise<number> {
    for await (const _ of chunks);
    this.statements.push({ sql, rows: counter.count });
    return 0;
  }
}
