import type { EntityManager } from '@mikro-orm/postgresql';
import { copyIn } from '../postgres/copy/copy-in.ts';
import type { PlannedStatement } from './load-options.ts';

/** What knows how many rows it has read so far. */
export interface Counted {
  readonly count: number;
}

/** Where the statements of a load go. */
export interface Session {
  /** What the statement gives: a row at most. */
  run(sql: string): Promise<Readonly<Record<string, number>>>;
  /** Copies the rows by `sql`, and gives how many arrived. */
  copy(sql: string, copied: Counted, pieces: AsyncIterable<Buffer>): Promise<number>;
}

/** Sends them on the connection of a unit of work. */
export class SendingSession implements Session {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  async run(sql: string): Promise<Readonly<Record<string, number>>> {
    const [row = {}] = await this.#em.execute<Record<string, number>[]>(sql);
    return row;
  }

  copy(sql: string, _copied: Counted, pieces: AsyncIterable<Buffer>): Promise<number> {
    return copyIn(this.#em, sql, pieces);
  }
}

/** Takes them down, and sends nothing. */
export class PlanningSession implements Session {
  readonly statements: PlannedStatement[] = [];

  async run(sql: string): Promise<Readonly<Record<string, number>>> {
    this.statements.push({ sql, rows: 0 });
    return {};
  }

  async copy(sql: string, copied: Counted, pieces: AsyncIterable<Buffer>): Promise<number> {
    for await (const _ of pieces);
    this.statements.push({ sql, rows: copied.count });
    return 0;
  }
}
