import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { ConnectionError, ConnectionLostError, ContentionError, PoolTimeoutError } from '../../errors.ts';
import { Probe } from '../../postgres/client/probe.ts';
import { settlesWithin } from '../../postgres/client/settles-within.ts';
import type { Replica, Sight } from './replica.ts';
import { walBytes } from './wal-position.ts';

// How long a result of a check is valid.
const freshMs = 1_000;
// The timeout of the primary's check. After it, replicas are compared with the primary's last known position.
const primaryPatienceMs = 1_000;
// How long a replica may take to come to a position that a read needs: mostly it is there in a few milliseconds.
const catchUpMs = 100;

/** A replica and how far it is behind. */
export interface ReplicaHealth {
  /** `up`: reads may go to it; `behind`: it lags too far; `down`: it does not answer, or is no replica. */
  readonly status: 'up' | 'behind' | 'down';
  /** Why it is down. */
  readonly error: string | null;
  /** Bytes of the write-ahead log that it has not applied yet; null if it, or the primary, did not answer. */
  readonly lag: number | null;
}

/** The replicas of one primary, and which of them may be read from. */
export class ReplicaSet {
  readonly replicas: readonly Replica[];
  readonly #maxLag: bigint;
  readonly #primary: Probe<bigint>;
  /** Where the primary's log ended when it was last asked. */
  #head: bigint | undefined;
  #primaryIsDown = false;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;
  #turn = 0;

  constructor(primary: MikroORM, replicas: readonly Replica[], maxLag: number) {
    this.replicas = replicas;
    this.#maxLag = BigInt(maxLag);
    this.#primary = new Probe(() => endOfLog(primary));
  }

  /**
   * A replica to read from, each in turn; null when the primary has to answer. With `atLeast` one that has come to that position,
   * which it may be waited for, for a moment.
   *
   * @throws InvalidValueError when `atLeast` is no position.
   */
  async pick(atLeast: string | null | undefined): Promise<Replica | null> {
    // Null stands for an unknown position.
    if (atLeast === null || this.replicas.length === 0) return null;
    const wanted = atLeast === undefined ? 0n : walBytes(atLeast);
    await this.#look();
    const usable = this.#inTurn().filter(({ state }) => this.#status(state) === 'up');
    const first = usable.find(({ state }) => reaches(state, wanted));
    if (first || usable.length === 0) return first ?? null;
    return catchingUp(usable, wanted);
  }

  /** Returns whether `error` of a read from `replica` is the replica's failure, not the read's: then the primary can answer. */
  isReplicaFailure(replica: Replica, error: unknown): boolean {
    // A recovery conflict: WAL that the replica applied cancelled the read.
    if (error instanceof ContentionError) return true;
    // The replica's pool is full.
    if (error instanceof PoolTimeoutError) return true;
    if (!(error instanceof ConnectionError || error instanceof ConnectionLostError)) return false;
    this.#lookedAt = -Infinity;
    void replica.look();
    return true;
  }

  /** Returns how each of them is, asked now, in their order, within `patience` milliseconds. */
  async health(patience: number): Promise<ReplicaHealth[]> {
    if (this.replicas.length === 0) return [];
    await settlesWithin(
      patience,
      this.#seeAll(() => false),
    );
    return this.replicas.map(({ state }) => ({
      status: this.#status(state),
      error: state ? state.why : `no answer within ${patience} ms`,
      lag: state?.position == null || this.#head === undefined ? null : Number(this.#lag(state.position)),
    }));
  }

  /** Closes their pools, within about so many milliseconds. */
  async close(milliseconds: number): Promise<void> {
    await Promise.allSettled(this.replicas.map((replica) => replica.close(milliseconds)));
  }

  async #look(): Promise<void> {
    if (performance.now() - this.#lookedAt < freshMs) return;
    // Who did not answer the last time is asked, but not waited for.
    this.#looking ??= this.#seeAll((isDown) => isDown).finally(() => {
      this.#looking = undefined;
      this.#lookedAt = performance.now();
    });
    await this.#looking;
  }

  // The primary first: a replica that was asked before it would seem to lag by all that was written in between.
  async #seeAll(passesOver: (isDown: boolean) => boolean): Promise<void> {
    await unless(passesOver(this.#primaryIsDown), this.#seePrimary());
    await Promise.all(
      this.replicas.map((replica) => unless(passesOver(replica.state?.why != null), replica.look())),
    );
  }

  async #seePrimary(): Promise<void> {
    try {
      this.#head = await this.#primary.ask(primaryPatienceMs);
      this.#primaryIsDown = false;
    } catch {
      // The last known position still shows the lag. A read that needs the primary throws its error.
      this.#primaryIsDown = true;
    }
  }

  #inTurn(): Replica[] {
    this.#turn = (this.#turn + 1) % this.replicas.length;
    return [...this.replicas.slice(this.#turn), ...this.replicas.slice(0, this.#turn)];
  }

  #status(state: ReplicaState | undefined): ReplicaHealth['status'] {
    if (state?.position == null) return 'down';
    return this.#lag(state.position) > this.#maxLag ? 'behind' : 'up';
  }

  #lag(position: bigint): bigint {
    const lag = (this.#head ?? 0n) - position;
    return lag > 0n ? lag : 0n;
  }
}

/** The first of `replicas` to come to a position; null when none does in time. */
async function catchingUp(replicas: readonly Replica[], wanted: bigint): Promise<Replica | null> {
  const deadline = performance.now() + catchUpMs;
  for (let pause = 1; performance.now() < deadline; pause *= 2) {
    for (const replica of replicas) if (reaches(await replica.look(), wanted)) return replica;
    await setTimeout(pause);
  }
  return null;
}

function reaches(state: ReplicaState | undefined, wanted: bigint): boolean {
  return state?.position != null && state.position >= wanted;
}

/** Waits for `work`, which goes on in any case. */
async function unless(skipped: boolean, work: Promise<unknown>): Promise<void> {
  if (!skipped) await work;
}

// As far as replicas can be sent it.
async function endOfLog(primary: MikroORM): Promise<bigint> {
  const [row] = await primary.em
    .getConnection()
    .execute<{ position: string }[]>('select pg_current_wal_flush_lsn()::text as position');
  if (!row) throw new Error('the primary did not return its WAL position');
  return walBytes(row.position);
}
