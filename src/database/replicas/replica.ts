import { isNativeError } from 'node:util/types';
import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { Connections, closeWithin } from '../../postgres/client/connections.ts';
import { ormOptions, type ConnectOptions } from '../../postgres/orm/orm-options.ts';
import { SharedSessionCheck } from '../../postgres/pooler/pooler-mode.ts';
import { tagStatements } from '../../postgres/sql/statement-tags.ts';
import { Probe } from '../../postgres/client/probe.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { currentCall } from '../units/unit-gate.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { walBytes } from './wal-position.ts';

/** The position up to which a replica has replayed the write-ahead log, or the reason why it can't be read from. */
export type ReplicaState =
  | { readonly position: bigint; readonly error: null }
  | { readonly position: null; readonly error: string };

// Short, since the primary can answer instead.
const timeoutMs = 1_000;

/** A streaming replica of the primary, with its own pool. It connects on the first read. */
export class Replica {
  readonly orm: MikroORM;
  readonly telemetry: Telemetry;
  readonly #probe: Probe<bigint | null>;
  #state: ReplicaState | undefined;

  private constructor(orm: MikroORM, telemetry: Telemetry) {
    this.orm = orm;
    this.telemetry = telemetry;
    this.#probe = new Probe(() => this.#readPosition());
  }

  static async open(target: DatabaseTarget, options: ConnectOptions, telemetry: Telemetry): Promise<Replica> {
    const { poolMode = 'session' } = options;
    const check = poolMode === 'session' ? new SharedSessionCheck(target) : undefined;
    const orm = new MikroORM(ormOptions(target, options, check));
    const connections = Connections.of(orm);
    connections.throwsDataErrors = true;
    connections.currentCall = currentCall;
    await telemetry.watch(orm);
    return new Replica(orm, telemetry);
  }

  /** The state at the last check; undefined before the first one. */
  get state(): ReplicaState | undefined {
    return this.#state;
  }

  /** Checks the replica and returns its state. Never throws. */
  async check(): Promise<ReplicaState> {
    const state = await this.#probe.run(timeoutMs).then(
      (position): ReplicaState =>
        position === null ? { position: null, error: 'it is not a replica' } : { position, error: null },
      (error: unknown): ReplicaState => ({ position: null, error: messageOf(error) }),
    );
    if ((this.#state?.error ?? null) !== state.error) this.telemetry.reportReplica(state.error);
    return (this.#state = state);
  }

  /** Closes its pool within about `milliseconds`. */
  async close(milliseconds: number): Promise<void> {
    this.telemetry.stop();
    await closeWithin(milliseconds, this.orm);
  }

  async #readPosition(): Promise<bigint | null> {
    const [row] = await tagStatements('replica.position', () =>
      this.orm.em
        .getConnection()
        .execute<{ position: string | null }[]>(
          'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end as position',
        ),
    );
    return row?.position == null ? null : walBytes(row.position);
  }
}

function messageOf(thrown: unknown): string {
  const error = toDataError(thrown);
  return isNativeError(error) ? error.message : String(error);
}
