import type { MikroORM } from '@mikro-orm/postgresql';
import { isOutOfConnections, noneLeft } from '../../postgres/errors/connection-limits.ts';
import { Connections } from '../../postgres/client/connections.ts';
import { outsidePool } from '../../postgres/client/outside-pool.ts';
import { NoAnswerError, Probe } from '../../postgres/client/probe.ts';

/**
 * What came of asking the server past the pool: `answers`; `full`: it, or a pooler in front of it, is alive and has no connection
 * to give; `silent`: there was no answer in time; `unreachable`: `error` says why.
 */
export type ServerState =
  | { readonly is: 'answers' | 'silent' }
  | { readonly is: 'full'; readonly what: string }
  | { readonly is: 'unreachable'; readonly error: unknown };

// A connection that gets no answer is kept no longer than this, in milliseconds.
const longestMs = 5_000;

/**
 * Asks a server whether it is alive, on a connection outside the pool that is opened for it and closed again. However many ask at
 * once, there is one such connection at most.
 */
export class ServerProbe {
  readonly #orm: MikroORM;
  readonly #question: Probe<void>;
  readonly #ended = new AbortController();
  #isLoggedIn = false;

  constructor(orm: MikroORM) {
    this.#orm = orm;
    this.#question = new Probe(() => this.#ask());
  }

  /** Asks it, and ends within `patience` milliseconds. Never throws. */
  async ask(patience: number): Promise<ServerState> {
    try {
      await this.#question.ask(patience);
      return { is: 'answers' };
    } catch (error) {
      if (isOutOfConnections(error)) return { is: 'full', what: noneLeft };
      if (!(error instanceof NoAnswerError)) return { is: 'unreachable', error };
      // A pooler accepts the login, and then the client waits for a connection to the server.
      return this.#isLoggedIn && Connections.of(this.#orm).behindPooler
        ? { is: 'full', what: 'the pooler is alive, and gave no connection to the server in time' }
        : { is: 'silent' };
    }
  }

  /** Drops the connection that is open, if one is. */
  end(): void {
    this.#ended.abort();
  }

  async #ask(): Promise<void> {
    this.#isLoggedIn = false;
    const enough = AbortSignal.timeout(longestMs);
    try {
      await outsidePool(this.#orm, AbortSignal.any([this.#ended.signal, enough]), async (client) => {
        this.#isLoggedIn = true;
        await client.query('select 1');
      });
    } catch (error) {
      throw enough.aborted ? new NoAnswerError(longestMs) : error;
    }
  }
}
