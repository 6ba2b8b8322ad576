import { texts, type Message } from './message.ts';
import { splitStatements } from './split-statements.ts';

/** The statements that the messages of one client run, including prepared ones. */
export class ClientStatements {
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, string>();

  /** Returns the statements that `message` runs, in order; none for any other message. */
  of(message: Message): string[] {
    switch (message.type) {
      case 'Q': {
        const [sql = ''] = texts(message, 1);
        return splitStatements(sql);
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
