import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { ConnectionError, ConnectionLostError, ContentionError, PoolTimeoutError } from '../../errors.ts';
import { Probe } from '../../postgres/client/probe.ts';
import { settlesWithin } from '../../postgres/client/settles-within.ts';
import type { Replica, ReplicaState } from './replica.ts';
import { walBytes } from './wal-position.ts';

// Milliseconds for which the last check of the servers is valid.
const checkIntervalMs = 1_000;
// Milliseconds to wait for the primary. After that, replicas are compared with its last known position.
const primaryTimeoutMs = 1_000;
// Milliseconds to wait for a replica to reach the position of a read. Most reach it in a few.
const catchUpTimeoutMs = 100;

/** The state of a replica. */
export interface ReplicaHealth {
  /** `up`: it serves reads; `behind`: its lag is too large; `down`: it does not answer, or is not a replica. */
  readonly status: 'up' | 'behind' | 'down';
  /** Why it is down. */
  readonly error: string | null;
  /** Bytes of the write-ahead log that it has not replayed yet; null when it, or the primary, did not answer. */
  readonly lag: number | null;
}

/** The replicas of a primary. It picks those to read from. */
export class ReplicaSet {
  readonly replicas: readonly Replica[];
  readonly #maxLag: bigint;
  readonly #primary: Probe<bigint>;
  /** The end of the primary's write-ahead log at the last check. */
  #primaryPosition: bigint | undefined;
  #primaryIsDown = false;
  #checkedAt = -Infinity;
  #checking: Promise<void> | undefined;
  #next = 0;

  constructor(primary: MikroORM, replicas: readonly Replica[], maxLag: number) {
    this.replicas = replicas;
    this.#maxLag = BigInt(maxLag);
    this.#primary = new Probe(() => walEnd(primary));
  }

  /**
   * Returns a replica to read from, in turn; null when the primary has to answer. With `atLeast`, one that has reached this position, for
   * which it waits up to 100 ms.
   *
   * @throws InvalidValueError when `atLeast` is not a position.
   */
  async pick(atLeast: string | null | undefined): Promise<Replica | null> {
    // Null: the position is unknown.
    if (atLeast === null || this.replicas.length === 0) return null;
    const wanted = atLeast === undefined ? 0n : walBytes(atLeast);
    await this.#refresh();
    const candidates = this.#roundRobin().filter(({ state }) => this.#status(state) === 'up');
    const first = candidates.find(({ state }) => reaches(state, wanted));
    if (first || candidates.length === 0) return first ?? null;
    return firstToReach(candidates, wanted);
  }

  /** Returns whether `replica` caused `error`, which a read from it threw, so that the primary can answer the read. */
  isReplicaFailure(replica: Replica, error: unknown): boolean {
    // The read conflicted with the replay of the log.
    if (error instanceof ContentionError) return true;
    // The replica has its own pool.
    if (error instanceof PoolTimeoutError) return true;
    if (!(error instanceof ConnectionError || error instanceof ConnectionLostError)) return false;
    this.#checkedAt = -Infinity;
    void replica.check();
    return true;
  }

  /** Checks all replicas and returns their states, in order, within `timeout` milliseconds. */
  async health(timeout: number): Promise<ReplicaHealth[]> {
    if (this.replicas.length === 0) return [];
    await settlesWithin(
      timeout,
      this.#checkAll(() => false),
    );
    return this.replicas.map(({ state }) => ({
      status: this.#status(state),
      error: state ? state.error : `no answer within ${timeout} ms`,
      lag:
        state?.position == null || this.#primaryPosition === undefined
          ? null
          : Number(this.#lag(state.position)),
    }));
  }

  /** Closes the pools of the replicas within about `milliseconds`. */
  async close(milliseconds: number): Promise<void> {
    await Promise.allSettled(this.replicas.map((replica) => replica.close(milliseconds)));
  }

  async #refresh(): Promise<void> {
    if (performance.now() - this.#checkedAt < checkIntervalMs) return;
    // Servers that did not answer the last time are checked, but not waited for.
    this.#checking ??= this.#checkAll((isDown) => isDown).finally(() => {
      this.#checking = undefined;
      this.#checkedAt = performance.now();
    });
    await this.#checking;
  }

  // The primary first: a replica that was checked before it would seem to lag by what was written in between.
  async #checkAll(skips: (isDown: boolean) => boolean): Promise<void> {
    await awaitUnless(skips(this.#primaryIsDown), this.#checkPrimary());
    await Promise.all(
      this.replicas.map((replica) => awaitUnless(skips(replica.state?.error != null), replica.check())),
    );
  }

  async #checkPrimary(): Promise<void> {
    try {
      this.#primaryPosition = await this.#primary.run(primaryTimeoutMs);
      this.#primaryIsDown = false;
    } catch {
      // Its last position still shows which replicas lag, and a read from the primary throws the error.
      this.#primaryIsDown = true;
    }
  }

  #roundRobin(): Replica[] {
    this.#next = (this.#next + 1) % this.replicas.length;
    return [...this.replicas.slice(this.#next), ...this.replicas.slice(0, this.#next)];
  }

  #status(state: ReplicaState | undefined): ReplicaHealth['status'] {
    if (state?.position == null) return 'down';
    return this.#lag(state.position) > this.#maxLag ? 'behind' : 'up';
  }

  #lag(position: bigint): bigint {
    const lag = (this.#primaryPosition ?? 0n) - position;
    return lag > 0n ? lag : 0n;
  }
}

/** Returns the first of `replicas` to reach a position; null when none does in time. */
async function firstToReach(replicas: readonly Replica[], wanted: bigint): Promise<Replica | null> {
  const deadline = performance.now() + catchUpTimeoutMs;
  for (let pause = 1; performance.now() < deadline; pause *= 2) {
    for (const replica of replicas) if (reaches(await replica.check(), wanted)) return replica;
    await setTimeout(pause);
  }
  return null;
}

function reaches(state: ReplicaState | undefined, wanted: bigint): boolean {
  return state?.position != null && state.position >= wanted;
}

/** Waits for `work`, unless it is skipped; it runs in any case. */
async function awaitUnless(skipped: boolean, work: Promise<unknown>): Promise<void> {
  if (!skipped) await work;
}

// The part of the log that replicas can receive.
async function walEnd(primary: MikroORM): Promise<bigint> {
  const [row] = await primary.em
    .getConnection()
    .execute<{ position: string }[]>('select pg_current_wal_flush_lsn()::text as position');
  if (!row) throw new Error('the primary returned no position');
  return walBytes(row.position);
}
