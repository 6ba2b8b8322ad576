import { isNativeError } from 'node:util/types';
import { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { Connections, closeWithin } from '../../postgres/client/connections.ts';
import { ormOptions, type ConnectOptions } from '../../postgres/orm/orm-options.ts';
import { SharedSessionCheck } from '../../postgres/client/pooled-sessions.ts';
import { Probe } from '../../postgres/client/probe.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { walBytes } from './wal-position.ts';

/** The WAL position of a replica, or why it can't be read from. */
export type ReplicaState =
  | { readonly position: bigint; readonly why: null }
  | { readonly position: null; readonly why: string };

// Short, because the primary can answer instead.
const patienceMs = 1_000;

/** A streaming replica of the primary, with its own pool. The first use opens a connection. */
export class Replica {
  readonly orm: MikroORM;
  readonly telemetry: Telemetry;
  readonly #probe: Probe<bigint | null>;
  #state: ReplicaState | undefined;

  private constructor(orm: MikroORM, telemetry: Telemetry) {
    this.orm = orm;
    this.telemetry = telemetry;
    this.#probe = new Probe(() => this.#ask());
  }

  static async open(target: DatabaseTarget, options: ConnectOptions, telemetry: Telemetry): Promise<Replica> {
    const { poolMode = 'session' } = options;
    const check = poolMode === 'session' ? new SharedSessionCheck(target) : undefined;
    const orm = new MikroORM(ormOptions(target, options, check));
    Connections.of(orm).throwsDataErrors = true;
    await telemetry.watch(orm);
    return new Replica(orm, telemetry);
  }

  /** What was seen of it last; undefined while it never was asked. */
  get state(): ReplicaState | undefined {
    return this.#state;
  }

  /** Asks it how far it has come. Never throws. */
  async look(): Promise<ReplicaState> {
    const seen = await this.#probe.ask(patienceMs).then(
      (position): ReplicaState =>
        position === null ? { position: null, why: 'it is no replica' } : { position, why: null },
      (error: unknown): ReplicaState => ({ position: null, why: reason(error) }),
    );
    if ((this.#state?.why ?? null) !== seen.why) this.telemetry.replica(seen.why);
    return (this.#state = seen);
  }

  /** Closes its pool, within about so many milliseconds. */
  async close(milliseconds: number): Promise<void> {
    this.telemetry.stop();
    await closeWithin(milliseconds, this.orm);
  }

  async #ask(): Promise<bigint | null> {
    const [row] = await this.orm.em
      .getConnection()
      .execute<{ position: string | null }[]>(
        'select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end as position',
      );
    return row?.position == null ? null : walBytes(row.position);
  }
}

function reason(thrown: unknown): string {
  const error = toDataError(thrown);
  return isNativeError(error) ? error.message : String(error);
}
