import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigrationEvent } from './run/context/migration-event.ts';
import { MigrationRefusedError } from './session/errors.ts';
import type { ComparisonOptions } from './comparison-options.ts';
import { isMilliseconds } from './session/milliseconds.ts';
import { poolSize } from './session/own-connection.ts';

/** Times in milliseconds. */
export interface MigratorOptions extends ComparisonOptions {
  /** The schema of the migrator's own tables. Default `migrator`. */
  readonly schema?: string | undefined;
  /**
   * For how long the statements of a transaction together may wait for locks before it is rolled back and retried; 0 for no limit. A
   * statement after others has at least a twentieth. Default 1,000.
   */
  readonly lockTimeout?: number | undefined;
  /** For how long a migration is retried after a lock timeout. Default 60,000. */
  readonly lockRetry?: number | undefined;
  /** How long a statement in a transaction may take; 0 for no limit. Default 900,000. */
  readonly statementTimeout?: number | undefined;
  /** For how long `up` and `planUp` may count the rows that would make one statement fail; 0 for no limit. Default 30,000. */
  readonly precheckTimeout?: number | undefined;
  /** How long to wait for another runner's lease. Default 60,000. */
  readonly lockWait?: number | undefined;
  /** How long the lease is valid without a heartbeat, at least 100. Default 10,000. */
  readonly lease?: number | undefined;
  /** Stops a run: cancels the statement that is being run, rolls its transaction back, begins no other, and releases the lease. */
  readonly signal?: AbortSignal | undefined;
  /** Called for each event. */
  readonly onEvent?: ((event: MigrationEvent) => void) | undefined;
}

/** @throws MigrationRefusedError when an option is not a time in milliseconds, or the lease is too short. */
export function refuseInvalidTimes(options: MigratorOptions): void {
  const { lockTimeout, lockRetry, statementTimeout, precheckTimeout, lockWait, lease } = options;
  const times = { lockTimeout, lockRetry, statementTimeout, precheckTimeout, lockWait, lease };
  for (const [name, time] of Object.entries(times)) {
    if (time !== undefined && !isMilliseconds(time))
      throw new MigrationRefusedError(
        `${name}: ${time} is not a time in milliseconds; use a whole number from 0`,
      );
  }
  // It is renewed three times before it expires, over any network.
  if (lease !== undefined && lease < 100)
    throw new MigrationRefusedError(
      `lease: ${lease} ms is too short to be renewed in time; use at least 100`,
    );
}

/** @throws MigrationRefusedError when the pool has fewer connections than a run needs: the heartbeat would wait for the work. */
export function refuseSmallPool(orm: MikroORM): void {
  const max = poolSize(orm);
  if (max !== null && max < 3)
    throw new MigrationRefusedError(
      `pool.max is ${max}, and migrations need 3 connections: set it to 3 or more`,
    );
}
