import { isScratch } from '../catalog/scratch-database.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { CodeMigration, Direction } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { recordCatalog } from '../drift/record-catalog.ts';
import { Lease } from '../lease/lease.ts';
import { addToHistory } from '../ledger/history.ts';
import { sameInOtherText, withEdits } from '../ledger/edits.ts';
import { deleteOutdatedProgress, readDatabase, stateOf, type Progress, type State } from '../ledger/state.ts';
import { refuseMissingPrivileges } from '../ledger/refuse-partial-tables.ts';
import { ensureTables } from '../ledger/tables.ts';
import { findConflict, type Conflict } from '../leftovers/find-conflict.ts';
import { inTransaction, poolSession } from '../session/session.ts';
import { MigratorError } from '../session/errors.ts';
import { withPermissionHint } from '../session/with-permission-hint.ts';
import type { Limits } from './context/limits.ts';
import type { MigrationEvent } from './context/migration-event.ts';
import { runInTransaction } from './run-in-transaction.ts';
import { recordTakeovers } from './record-takeovers.ts';
import { runStepByStep } from './run-step-by-step.ts';
import type { FailedStep, Run } from './context/run.ts';
import type { Step } from './context/step.ts';
import { unfinishedSteps } from './unfinished-steps.ts';

/** A step that was run. */
export interface MigrationRun {
  readonly name: string;
  readonly direction: Direction;
  /** In milliseconds. */
  readonly duration: number;
}

/** How to run migrations. Times in milliseconds. */
export interface RunnerOptions {
  readonly limits: Limits;
  /** How long the lease is valid without a heartbeat. */
  readonly lease: number;
  /** How long to wait for another runner's lease. */
  readonly lockWait: number;
  readonly report: (event: MigrationEvent) => void;
  /** Stops the run: what it has sent is cancelled, and nothing more is begun. */
  readonly signal: AbortSignal | undefined;
}

/** Runs steps of migrations while it holds the lease of a database. */
export class Runner {
  readonly #database: MigratedDatabase;
  readonly #options: RunnerOptions;

  constructor(database: MigratedDatabase, options: RunnerOptions) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Acquires the lease, records takeovers, finishes steps that were interrupted, and runs the steps that `choose` returns for the state after that.
   * Before anything is changed, `check` may refuse them.
   *
   * @throws MigratorError `failed`, `interrupted`, `lock_held`, `lock_lost`, and what `choose` and `check` throw.
   */
  async run(
    migrations: readonly CodeMigration[],
    choose: (state: State) => Promise<Step[]>,
    check?: (steps: readonly Step[], state: State) => Promise<void>,
  ): Promise<MigrationRun[]> {
    return this.withLease(async (lease) => {
      const found = await this.#read(migrations);
      await this.#recordTexts(lease, found);
      const chosen = await choose(found);
      const unfinished = await unfinishedSteps(found, chosen);
      await check?.([...unfinished, ...chosen], found);
      // After what refuses the run, and before what uses the log.
      await recordTakeovers(this.#database, lease, found, this.#options.report);
      const finished = await this.#perform(lease, unfinished, found.progress);
      const state = unfinished.length > 0 ? await this.#read(migrations) : found;
      return [...finished, ...(await this.#perform(lease, await choose(state), state.progress))];
    });
  }

  /**
   * Runs `work` while it holds the lease, and releases it afterwards. Creates the migrator's tables where they are missing.
   *
   * @throws MigratorError `lock_held`, `lock_lost`, and what `work` throws.
   */
  async withLease<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    const { orm, schema, tables } = this.#database;
    const { lease: duration, lockWait: wait, report, signal } = this.#options;
    const lease = await withPermissionHint(async () => {
      await ensureTables(orm, schema, tables);
      return Lease.acquire(poolSession(orm), tables, {
        duration,
        wait,
        signal,
        onWait: (holder) => report({ kind: 'waiting', holder }),
      });
    });
    try {
      await refuseMissingPrivileges(poolSession(orm), tables);
      await inTransaction(orm, async (transaction) => {
        await lease.guard(transaction);
        await deleteOutdatedProgress(transaction, tables);
      });
      await this.#recordAbandoned(lease);
      return await work(lease);
    } finally {
      // Also after a failure: the steps before it are done.
      await recordCatalog(this.#database, lease);
      await lease.release();
    }
  }

  async #perform(
    lease: Lease,
    steps: readonly Step[],
    progress: readonly Progress[],
  ): Promise<MigrationRun[]> {
    const { orm, tables } = this.#database;
    const { limits, report, signal } = this.#options;
    const run: Run = {
      orm,
      tables,
      lease,
      limits,
      report,
      signal,
      findConflict: (failed) => this.#findConflict(failed),
    };
    const done: MigrationRun[] = [];
    for (const step of steps) {
      if (signal?.aborted)
        throw new MigratorError('interrupted', `the run was stopped before ${step.migration.name}`);
      const { direction } = step;
      const { name, transactional } = step.migration;
      const begun = performance.now();
      report({ kind: 'started', name, direction });
      await lease.recordWork({ migration: name, direction });
      await (transactional ? runInTransaction(run, step) : runStepByStep(run, step, progress));
      await lease.recordIdle();
      const duration = Math.round(performance.now() - begun);
      report({ kind: 'done', name, direction, duration });
      done.push({ name, direction, duration });
    }
    return done;
  }

  async #read(migrations: readonly CodeMigration[]): Promise<State> {
    const { orm, tables } = this.#database;
    return withEdits(stateOf(migrations, await readDatabase(orm, tables)));
  }

  /** Records the texts of applied migrations that were found to send the same SQL, so that `status` and the next run need not ask again. */
  async #recordTexts(lease: Lease, state: State): Promise<void> {
    const same = sameInOtherText(state);
    if (same.length === 0) return;
    const { orm, tables } = this.#database;
    await inTransaction(orm, async (transaction) => {
      await lease.guard(transaction);
      for (const { name, textDigest } of same) {
        await addToHistory(transaction, tables, {
          name,
          direction: 'text',
          outcome: 'done',
          checksum: state.history.get(name)?.checksum ?? null,
          textDigest,
          note: 'its text changed, and sends the same SQL',
          token: lease.token,
        });
      }
    });
  }

  async #findConflict(failed: FailedStep): Promise<Conflict | null> {
    const { orm, tables } = this.#database;
    if (isScratch(orm)) return null;
    const { log } = await readDatabase(orm, tables);
    const applied = [...new Set(log.map(({ name }) => name))];
    const migrations = await readMigrations(orm);
    const from = migrations.findIndex(({ name }) => name === failed.migration.name);
    const pending = migrations
      .slice(from)
      .filter((one, index) => !applied.includes(one.name) && (index === 0 || one.optional === null));
    const names = pending.map(({ name }) => name);
    return findConflict(this.#database, { ...failed, applied, pending: names });
  }

  /** Adds to the history what the former holder of the lease began and never finished. */
  async #recordAbandoned(lease: Lease): Promise<void> {
    if (!lease.abandoned) return;
    const { migration: name, direction, startedAt, holder } = lease.abandoned;
    const { orm, tables } = this.#database;
    await inTransaction(orm, async (transaction) => {
      await lease.guard(transaction);
      await addToHistory(transaction, tables, {
        name,
        direction: direction === 'down' || direction === 'baseline' ? direction : 'up',
        outcome: 'interrupted',
        checksum: null,
        startedAt,
        note: `the lease of ${holder} expired`,
        token: lease.token,
      });
    });
  }
}
