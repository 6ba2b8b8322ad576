import type { MikroORM } from '@mikro-orm/postgresql';
import { isOutOfConnections, noFreeConnection } from '../../postgres/errors/connection-limits.ts';
import { Connections } from '../../postgres/client/connections.ts';
import { withClientOutsidePool } from '../../postgres/client/outside-pool.ts';
import { NoAnswerError, Probe } from '../../postgres/client/probe.ts';

/**
 * The result of a check outside the pool: `answers`; `full`: the server, or a pooler in front of it, is alive and has no free connection;
 * `silent`: it did not answer in time; `unreachable`: no connection could be made, because of `error`.
 */
export type ServerState =
  | { readonly status: 'answers' | 'silent' }
  | { readonly status: 'full'; readonly message: string }
  | { readonly status: 'unreachable'; readonly error: unknown };

// Milliseconds after which a connection without an answer is closed.
const timeoutMs = 5_000;

/**
 * Checks whether the server is alive, on a connection outside the pool that is opened for the check. Concurrent checks share one
 * connection.
 */
export class ServerProbe {
  readonly #orm: MikroORM;
  readonly #check: Probe<void>;
  readonly #ended = new AbortController();
  #isLoggedIn = false;

  constructor(orm: MikroORM) {
    this.#orm = orm;
    this.#check = new Probe(() => this.#connect());
  }

  /** Checks the server within `timeout` milliseconds. Never throws. */
  async check(timeout: number): Promise<ServerState> {
    try {
      await this.#check.run(timeout);
      return { status: 'answers' };
    } catch (error) {
      if (isOutOfConnections(error)) return { status: 'full', message: noFreeConnection };
      if (!(error instanceof NoAnswerError)) return { status: 'unreachable', error };
      // A pooler accepts clients itself, and lets them wait for a connection to the server.
      return this.#isLoggedIn && Connections.of(this.#orm).behindPooler
        ? { status: 'full', message: 'the pooler is alive, but assigned no connection to the server in time' }
        : { status: 'silent' };
    }
  }

  /** Drops the connection of a running check. */
  end(): void {
    this.#ended.abort();
  }

  async #connect(): Promise<void> {
    this.#isLoggedIn = false;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      await withClientOutsidePool(
        this.#orm,
        AbortSignal.any([this.#ended.signal, deadline]),
        async (client) => {
          this.#isLoggedIn = true;
          await client.query('select 1');
        },
      );
    } catch (error) {
      throw deadline.aborted ? new NoAnswerError(timeoutMs) : error;
    }
  }
}
