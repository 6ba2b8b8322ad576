import { setImmediate } from 'node:timers/promises';
import type { Configuration, MikroORM } from '@mikro-orm/core';
import { PoolTimeoutError } from '../../errors.ts';
import { connectionsExtension } from '../../guards/register-guard.ts';
import { CleanClient, type CleanClientConfig } from './clean-client.ts';
import { isPoolTimeout } from '../errors/connection-failures.ts';
import { toDataError } from '../errors/translate-error.ts';
import type { TxClient } from './tx-client.ts';
import { settlesWithin } from './settles-within.ts';
import { tagFor } from '../sql/statement-tags.ts';

// Milliseconds after which the pool may not have processed that an idle connection was closed.
const idleCheckMs = 10;

/** All open connections of an ORM, including those that its pool no longer manages. An extension of the ORM. */
export class Connections {
  /** The class of the pool's clients. */
  readonly Client: new (config?: CleanClientConfig) => TxClient;
  readonly #open = new Set<TxClient>();

  /** The pool's maximum. */
  readonly max: number;
  /** Milliseconds for which the pool's callers wait for a connection. */
  readonly acquireTimeout: number;

  /** Whether `target_session_attrs` accepts a standby. */
  readonly mayBeStandby: boolean;
  /** Whether a pooler was detected in front of the server; false before the first connection. */
  behindPooler = false;
  /** Whether statements may be named on connections that keep them. */
  readonly mayNameStatements: boolean;
  /** Whether statements are named. Set once the server, or the pooler in front of it, was seen to keep them. */
  namesStatements = false;
  /** Returns the name of the call that the current code is part of, which tags its statements. Set by `Database`. */
  currentCall: () => string | undefined = () => undefined;
  /** Whether the ORM throws `DataError`s in place of the ORM's errors. Set by `Database`. */
  throwsDataErrors = false;

  constructor({
    max,
    acquireTimeout,
    mayBeStandby,
    mayNameStatements,
  }: Pick<Connections, 'max' | 'acquireTimeout' | 'mayBeStandby' | 'mayNameStatements'>) {
    this.max = max;
    this.acquireTimeout = acquireTimeout;
    this.mayBeStandby = mayBeStandby;
    this.mayNameStatements = mayNameStatements;
    const open = this.#open;
    const namesStatements = (): boolean => this.namesStatements;
    const tag = (): string | undefined => tagFor(this.currentCall());
    this.Client = class extends CleanClient {
      constructor(config?: CleanClientConfig) {
        super(config);
        open.add(this);
        this.once('end', () => open.delete(this));
        this.once('silence', (error: Error) => {
          // Idle connections to the same server are probably dead too, and the next unit of work would wait as long.
          for (const client of open) if (client.isIdle) client.drop(error);
        });
      }

      protected override get namesStatements(): boolean {
        return namesStatements();
      }

      override get tag(): string | undefined {
        return tag();
      }
    };
  }

  /** Returns the connections of `orm`. */
  static of(orm: MikroORM): Connections {
    const connections = Connections.in(orm.config);
    if (!connections) throw new Error('the ORM has no Connections extension: configure it by `ormOptions`');
    return connections;
  }

  /** Returns the connections of an ORM with this configuration; undefined when `ormOptions` did not make it. */
  static in(config: Configuration): Connections | undefined {
    return config.getExtension<Connections>(connectionsExtension);
  }

  /** Returns the error to throw for one of the driver or the ORM. */
  translate(error: unknown): unknown {
    if (!this.throwsDataErrors) return error;
    if (!isPoolTimeout(error)) return toDataError(error);
    return new PoolTimeoutError(
      `no connection was free within ${this.acquireTimeout} ms: all ${this.max} of the pool are in use; ` +
        'shorten units of work, or raise pool.max or pool.acquireTimeout',
      { cause: error },
    );
  }

  register(orm: MikroORM): void {
    orm.config.registerExtension(connectionsExtension, () => this);
  }

  /** Waits until the pool has removed idle connections that were closed meanwhile. */
  async processCloseEvents(): Promise<void> {
    if (!this.#hasIdled()) return;
    // Node polls all sockets between two turns of the event loop.
    await setImmediate();
    await setImmediate();
  }

  #hasIdled(): boolean {
    for (const { idleFor } of this.#open) if (idleFor > idleCheckMs) return true;
    return false;
  }

  /** Waits at most `milliseconds` for all connections to end, and drops the others. */
  async end(milliseconds: number): Promise<void> {
    const ends = Array.from(
      this.#open,
      (client) => new Promise<void>((resolve) => client.once('end', resolve)),
    );
    if (await settlesWithin(milliseconds, Promise.all(ends))) return;
    for (const client of this.#open) client.drop(new Error('Connection terminated'));
  }
}

// Milliseconds for connections to end in an orderly way.
const gracePeriodMs = 1_000;

/** Closes the ORM's pool within about `milliseconds`, at least one second. Connections that have not ended by then are dropped. */
export async function closeWithin(milliseconds: number, orm: MikroORM): Promise<void> {
  const left = Math.max(milliseconds, gracePeriodMs);
  // The pool waits for connections that are still checked out, until they are dropped.
  await Promise.all([settlesWithin(left + gracePeriodMs, orm.close(true)), Connections.of(orm).end(left)]);
}
