import { setImmediate } from 'node:timers/promises';
import type { Configuration, MikroORM } from '@mikro-orm/core';
import { PoolTimeoutError } from '../../errors.ts';
import { connectionsName } from '../../guards/bring-guard.ts';
import { CleanClient, type CleanClientConfig } from './clean-client.ts';
import { isPoolTimeout } from '../errors/connection-failures.ts';
import { toDataError } from '../errors/translate-error.ts';
import type { TxClient } from './tx-client.ts';
import { within } from './within.ts';

// Milliseconds after which a connection is no longer taken to be as it was left.
const trustedMs = 10;

/** All connections that the ORM has open, those included that its pool knows no more of. An extension of the ORM. */
export class Connections {
  /** What the pool makes clients with. */
  readonly Client: new (config?: CleanClientConfig) => TxClient;
  readonly #open = new Set<TxClient>();

  /** Those that the pool has at most. */
  readonly max: number;
  /** Milliseconds that the pool's callers wait for one at most. */
  readonly acquireTimeout: number;

  /** Whether a standby is what `target_session_attrs` asks for. */
  readonly mayBeStandby: boolean;
  /** Whether a pooler was seen in front of the server; false while no connection was made. */
  behindPooler = false;
  /** Whether the ORM throws `DataError`s; if not, its own. A `Database` has its ORM do so. */
  throwsDataErrors = false;

  constructor({
    max,
    acquireTimeout,
    mayBeStandby,
  }: Pick<Connections, 'max' | 'acquireTimeout' | 'mayBeStandby'>) {
    this.max = max;
    this.acquireTimeout = acquireTimeout;
    this.mayBeStandby = mayBeStandby;
    const open = this.#open;
    this.Client = class extends CleanClient {
      constructor(config?: CleanClientConfig) {
        super(config);
        open.add(this);
        this.once('end', () => open.delete(this));
        this.once('silence', (error: Error) => {
          // What came of the same network, or the same server, is hardly better off. Who would get it next would wait as long.
          for (const client of open) if (client.isIdle) client.drop(error);
        });
      }
    };
  }

  /** Those of `orm`. */
  static of(orm: MikroORM): Connections {
    const connections = Connections.in(orm.config);
    if (!connections) throw new Error('the ORM was configured without its connections');
    return connections;
  }

  /** Those of an ORM with this configuration; undefined when they are not ours. */
  static in(config: Configuration): Connections | undefined {
    return config.getExtension<Connections>(connectionsName);
  }

  /** What is thrown for what the driver or the ORM threw. */
  toThrow(error: unknown): unknown {
    if (!this.throwsDataErrors) return error;
    if (!isPoolTimeout(error)) return toDataError(error);
    return new PoolTimeoutError(
      `no connection was free within ${this.acquireTimeout} ms: all ${this.max} of the pool are in use; ` +
        'end units of work sooner, or raise pool.max or pool.acquireTimeout',
      { cause: error },
    );
  }

  register(orm: MikroORM): void {
    orm.config.registerExtension(connectionsName, () => this);
  }

  /** Has the pool hear first of what the operating system knows by now: which of the connections that idled were ended. */
  async settle(): Promise<void> {
    if (!this.#hasIdled()) return;
    // All sockets are looked at between two turns.
    await setImmediate();
    await setImmediate();
  }

  #hasIdled(): boolean {
    for (const { idleFor } of this.#open) if (idleFor > trustedMs) return true;
    return false;
  }

  /** Waits for all to end, no longer than so many milliseconds, and drops those that have not. */
  async end(milliseconds: number): Promise<void> {
    const ends = Array.from(
      this.#open,
      (client) => new Promise<void>((resolve) => client.once('end', resolve)),
    );
    if (await within(milliseconds, Promise.all(ends))) return;
    for (const client of this.#open) client.drop(new Error('Connection terminated'));
  }
}

// What the end of connections may take, in milliseconds, once nobody waits for more.
const patienceMs = 1_000;

/** Closes the ORM's pool, within about so many milliseconds: what has not ended by then is dropped. */
export async function closeWithin(milliseconds: number, orm: MikroORM): Promise<void> {
  const left = Math.max(milliseconds, patienceMs);
  // The pool waits for whoever took a connection past us, until that is dropped.
  await Promise.all([within(left + patienceMs, orm.close(true)), Connections.of(orm).end(left)]);
}
