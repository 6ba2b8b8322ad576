import type { MikroORM } from '@mikro-orm/postgresql';
import { isScratch } from '../catalog/scratch-database.ts';
import type { State } from '../ledger/state.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { poolSession } from '../session/session.ts';
import { describeRefusal } from './describe.ts';
import { refuseMissingExtensions } from './extensions.ts';
import type { PendingStep } from './pending.ts';
import type { Precheck } from './rows/precheck.ts';
import { runPrechecks, type PrecheckOptions } from './run-prechecks.ts';

/** Emitted while rows are counted. */
export type PrecheckEvent =
  /** The rows are counted that would make statements of a migration fail, before the first migration. */
  | { readonly kind: 'prechecking'; readonly name: string }
  /** The result of counting. Refused ones refuse the run. */
  | { readonly kind: 'prechecked'; readonly prechecks: readonly Precheck[] };

interface RowCheckOptions extends Omit<PrecheckOptions, 'progress' | 'onEvent'> {
  readonly onEvent?: ((event: PrecheckEvent) => void) | undefined;
}

/** Compares what migrations are about to do with the rows of a database. */
export class RowChecks {
  readonly #orm: MikroORM;
  readonly #options: RowCheckOptions;

  constructor(orm: MikroORM, options: RowCheckOptions) {
    this.#orm = orm;
    this.#options = options;
  }

  /**
   * Counts the rows that would make steps fail.
   *
   * @throws MigrationRefusedError for an extension that the server can't create; MigratorError `interrupted`.
   */
  async count(steps: readonly PendingStep[], { progress }: State): Promise<Precheck[]> {
    await refuseMissingExtensions(poolSession(this.#orm), steps);
    return runPrechecks(this.#orm, steps, { ...this.#options, progress });
  }

  /**
   * Refuses steps that rows would make fail, and emits what was counted.
   *
   * @throws MigrationRefusedError; MigratorError `interrupted`.
   */
  async refuse(steps: readonly PendingStep[], state: State): Promise<void> {
    // The rows of a scratch database are only those of the migrations themselves.
    if (isScratch(this.#orm)) return;
    const prechecks = await this.count(steps, state);
    if (prechecks.length > 0) this.#options.onEvent?.({ kind: 'prechecked', prechecks });
    const refused = prechecks.filter(({ outcome }) => outcome === 'refused');
    if (refused.length > 0) throw new MigrationRefusedError(describeRefusal(refused));
  }
}
