import { texts, type Message } from './message.ts';

/** Returns the statements of one query text. */
export type Split = (sql: string) => string[];

/** Finds the statements that the messages of one client run, prepared ones included. */
export class ClientStatements {
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  readonly #split: Split;

  constructor(split: Split) {
    this.#split = split;
  }

  /** Returns the statements that `message` runs, in order; none when it prepares, binds, ends or carries data. */
  of(message: Message): string[] {
    switch (message.type) {
      case 'Q': {
        const [sql = ''] = texts(message, 1);
        return this.#split(sql);
      }
      case 'P': {
        const [name = '', sql = ''] = texts(message, 2);
        this.#prepared.set(name, sql);
        return [];
      }
      case 'B': {
        const [portal = '', name = ''] = texts(message, 2);
        this.#portals.set(portal, this.#prepared.get(name) ?? '');
        return [];
      }
      case 'E': {
        const [portal = ''] = texts(message, 1);
        return [this.#portals.get(portal) ?? ''];
      }
      default:
        return [];
    }
  }
}
