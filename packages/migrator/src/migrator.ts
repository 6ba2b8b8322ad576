import type { MikroORM } from '@mikro-orm/postgresql';
import { baseline } from './baseline.ts';
import { ensureTables, tablesOf, type Tables } from './ledger/tables.ts';
import { check, type CheckResult } from './check.ts';
import { lossesOfDown, type DownLosses } from './losses/down-losses.ts';
import type { Direction, EmittedMigration } from './files/emitted-migration.ts';
import { RefusedError } from './session/errors.ts';
import { explained } from './session/explained.ts';
import { addToHistory } from './ledger/history.ts';
import { Lease } from './lease/lease.ts';
import { refuseDroppedSchema } from './leftovers/dropped-schema.ts';
import { inTheWayOf, type InTheWay } from './leftovers/in-the-way.ts';
import { migrationFiles } from './files/migration-files.ts';
import { appliedUpTo, planOf, type PlannedMigration } from './plan/plan.ts';
import { runInTransaction } from './run/run-in-transaction.ts';
import { runStepByStep } from './run/run-step-by-step.ts';
import type { Limits, MigrationEvent, Run, Step } from './run/run.ts';
import { isScratch } from './catalog/scratch-database.ts';
import type { DownRequest, UpRequest } from './ledger/requests.ts';
import { selectDown, selectUp } from './plan/selection.ts';
import { poolSize } from './session/own-connection.ts';
import { inTransaction, poolSession } from './session/session.ts';
import {
  deleteOutdatedProgress,
  readDatabase,
  readMigrations,
  readState,
  type Progress,
  type State,
} from './ledger/state.ts';
import { statusOf, type MigrationStatus } from './ledger/status.ts';
import { downSteps, unfinishedSteps, upSteps } from './plan/steps.ts';
import type { Subject } from './catalog/subject.ts';
import { isTime } from './session/times.ts';

/** Times in milliseconds. */
export interface MigratorOptions {
  /** Where the migrator keeps its own tables. Default `migrator`. */
  readonly schema?: string | undefined;
  /** How long a statement may wait for a lock before its migration is taken back and tried again. Default 1,000. */
  readonly lockTimeout?: number | undefined;
  /** How long it is tried again for. Default 60,000. */
  readonly lockRetry?: number | undefined;
  /** How long a statement in a transaction may take. Default 900,000; 0 for as long as it needs. */
  readonly statementTimeout?: number | undefined;
  /** How long to wait for another runner. Default 60,000. */
  readonly lockWait?: number | undefined;
  /** How long a runner that is not heard of keeps others out, 100 at least. Default 10,000. */
  readonly lease?: number | undefined;
  /** Told what happens. */
  readonly onEvent?: ((event: MigrationEvent) => void) | undefined;
}

/** What a plan starts from. */
export interface PlanBasis {
  /** The last migration to take for applied, with all before it; null for none. The database is asked when absent. */
  readonly from?: string | null | undefined;
}

/** A migration that was run. */
export interface MigrationRun {
  readonly name: string;
  readonly direction: Direction;
  /** In milliseconds. */
  readonly duration: number;
}

/**
 * Runs the migrations of a MikroORM project on PostgreSQL, one runner at a time, each migration once. Needs a pool of three
 * connections at least: one to work on, one for a statement that can't run in a transaction, one for the heartbeat.
 */
export class Migrator {
  readonly #orm: MikroORM;
  readonly #options: MigratorOptions;
  readonly #schema: string;
  readonly #tables: Tables;

  /** @throws RefusedError when `schema` is no plain name, `migrations.schema` is set, or a time is none. */
  constructor(orm: MikroORM, options: MigratorOptions = {}) {
    refuseTimes(options);
    this.#orm = orm;
    this.#options = options;
    this.#schema = options.schema ?? 'migrator';
    this.#tables = tablesOf(orm, this.#schema);
  }

  /** Every migration that the code or the database knows, in the order of their names. Changes nothing. */
  async status(): Promise<MigrationStatus[]> {
    return statusOf(await readState(this.#orm, this.#tables));
  }

  /**
   * Applies what is pending, oldest first. Of several runners at once, one migrates; the others wait and find nothing to do.
   *
   * @throws RefusedError before anything is changed; MigratorError `failed`, `lock_held`, `lock_lost`.
   */
  async up(request: UpRequest = {}): Promise<MigrationRun[]> {
    const migrations = await readMigrations(this.#orm);
    const state = { migrations, ...(await readDatabase(this.#orm, this.#tables)) };
    const chosen = selectUp(state, request);
    await refuseDroppedSchema(this.#subject(), state);
    if (chosen.length === 0 && state.progress.length === 0) return [];
    return this.#alone(migrations, (before) => upSteps(before, request));
  }

  /**
   * Reverts what was applied last; more, when asked for.
   *
   * @throws RefusedError before anything is changed; MigratorError `failed`, `lock_held`, `lock_lost`.
   */
  async down(request: DownRequest = {}): Promise<MigrationRun[]> {
    const migrations = await readMigrations(this.#orm);
    const state = { migrations, ...(await readDatabase(this.#orm, this.#tables)) };
    if (selectDown(state, request).length === 0 && state.progress.length === 0) return [];
    return this.#alone(migrations, (before) => downSteps(before, request));
  }

  /**
   * Reverts the migration applied last and applies it again: for one that is being written.
   *
   * @throws RefusedError when nothing is applied, and as `down`.
   */
  async redo(): Promise<MigrationRun[]> {
    return this.#alone(await readMigrations(this.#orm), (before) => {
      const [migration] = selectDown(before, {});
      if (!migration) throw new RefusedError('nothing is applied, so that there is nothing to do again');
      return [
        { migration, direction: 'down' },
        { migration, direction: 'up' },
      ];
    });
  }

  /**
   * Returns which tables would lose rows, or values of columns, if `down` were run now, or `redo` where nothing is requested. Reverts
   * the migrations on a scratch database of the same server, and asks the connected one which tables hold rows; where no table does, it
   * makes none. Where a scratch database can't be had, or tells nothing, every table that holds rows is returned, and why. Changes
   * nothing; needs no lease.
   *
   * @throws RefusedError when `down` would be refused.
   */
  async lossesOfDown(request: DownRequest = {}): Promise<DownLosses> {
    return lossesOfDown(this.#subject(), await readState(this.#orm, this.#tables), request);
  }

  /**
   * What `up` would send, migration by migration, under the same conditions. Reads from the database what is applied; when told, it
   * opens no connection, and does not see what was edited since.
   *
   * @throws RefusedError when `up` would be refused, or there is no migration `from`.
   */
  async planUp({ from, ...request }: UpRequest & PlanBasis = {}): Promise<PlannedMigration[]> {
    const state = await this.#basis(from);
    if (from === undefined) await refuseDroppedSchema(this.#subject(), state);
    return planOf(state, this.#limits(), (before) => upSteps(before, request));
  }

  /** What `down` would send; else as `planUp`. */
  async planDown({ from, ...request }: DownRequest & PlanBasis = {}): Promise<PlannedMigration[]> {
    return planOf(await this.#basis(from), this.#limits(), (before) => downSteps(before, request));
  }

  async #basis(from: string | null | undefined): Promise<State> {
    const migrations = await readMigrations(this.#orm);
    return from === undefined ? this.#read(migrations) : appliedUpTo(migrations, from);
  }

  /**
   * Whether the database, the migrations and the entities agree, and where not. Compares what the database has with what the migrations
   * that it went through make, in their order, and what all migrations make with what the entities say: on a scratch database of the
   * same server, which is dropped at the end. Changes nothing; needs no lease.
   *
   * @throws RefusedError when the role may not create databases; MigratorError `failed` when a migration fails on the scratch database.
   */
  check(): Promise<CheckResult> {
    return check(this.#subject());
  }

  /**
   * Notes that a schema which was made in another way is where the migrations up to `name` would have brought it, and gives the names
   * of those that were not noted before, oldest first. Compares it first, with a scratch database that they make.
   *
   * @throws RefusedError when it differs in anything, when a later migration is applied, or when the role may not create databases;
   * nothing is noted then. MigratorError `lock_held`, `lock_lost`.
   */
  async baseline(name: string): Promise<string[]> {
    const migrations = await readMigrations(this.#orm);
    return this.#holding(async ({ lease }) =>
      baseline(this.#subject(), lease, await this.#read(migrations), name),
    );
  }

  /**
   * Applies these, in this order, whatever is older or newer: on a scratch database that is to go through what another has.
   *
   * @internal
   */
  async repeat(names: readonly string[]): Promise<MigrationRun[]> {
    const migrations = await readMigrations(this.#orm);
    return this.#alone(migrations, ({ log }) => {
      const applied = new Set(log.map(({ name }) => name));
      return names
        .filter((name) => !applied.has(name))
        .flatMap((name) => migrations.find((one) => one.name === name) ?? [])
        .map((migration) => ({ migration, direction: 'up' }));
    });
  }

  #subject(): Subject {
    const { onEvent: _, ...options } = this.#options;
    return {
      orm: this.#orm,
      schema: this.#schema,
      tables: this.#tables,
      migratorOf: (scratch) => new Migrator(scratch, options),
    };
  }

  /** Takes the lease, ends what somebody left half done, and runs the steps that `choose` finds then. */
  async #alone(
    migrations: readonly EmittedMigration[],
    choose: (state: State) => Step[],
  ): Promise<MigrationRun[]> {
    return this.#holding(async (run) => {
      const found = await this.#read(migrations);
      const first = unfinishedSteps(found, choose(found));
      const finished = await this.#perform(run, first, found.progress);
      const state = first.length > 0 ? await this.#read(migrations) : found;
      return [...finished, ...(await this.#perform(run, choose(state), state.progress))];
    });
  }

  /** Runs `work` with the lease. */
  async #holding<T>(work: (run: Run) => Promise<T>): Promise<T> {
    refuseSmallPool(this.#orm);
    const { lease: duration = 10_000, lockWait: wait = 60_000 } = this.#options;
    const lease = await explained(async () => {
      await ensureTables(this.#orm, this.#schema, this.#tables);
      return Lease.acquire(poolSession(this.#orm), this.#tables, {
        duration,
        wait,
        onWait: (holder) => this.#report({ kind: 'waiting', holder }),
      });
    });
    try {
      const run = {
        orm: this.#orm,
        tables: this.#tables,
        lease,
        limits: this.#limits(),
        report: this.#report,
        inTheWay: (migration: EmittedMigration, at: number) => this.#inTheWay(migration, at),
      };
      await inTransaction(this.#orm, async (transaction) => {
        await lease.guard(transaction);
        await deleteOutdatedProgress(transaction, this.#tables);
      });
      await this.#remember(run);
      return await work(run);
    } finally {
      await lease.release();
    }
  }

  async #read(migrations: readonly EmittedMigration[]): Promise<State> {
    return { migrations, ...(await readDatabase(this.#orm, this.#tables)) };
  }

  /** What `Run.inTheWay` promises. */
  async #inTheWay(migration: EmittedMigration, at: number): Promise<InTheWay | null> {
    if (isScratch(this.#orm)) return null;
    const { log } = await readDatabase(this.#orm, this.#tables);
    const applied = [...new Set(log.map(({ name }) => name))];
    const names = (await migrationFiles(this.#orm)).map(({ name }) => name);
    const pending = names.filter((name) => name >= migration.name && !applied.includes(name));
    return inTheWayOf(this.#subject(), { migration, at, applied, pending });
  }

  /** Notes in the history what a former holder never ended. */
  async #remember({ lease, tables }: Run): Promise<void> {
    if (!lease.abandoned) return;
    const { migration: name, direction, startedAt, holder } = lease.abandoned;
    await inTransaction(this.#orm, async (transaction) => {
      await lease.guard(transaction);
      await addToHistory(transaction, tables, {
        name,
        direction: direction === 'down' || direction === 'baseline' ? direction : 'up',
        outcome: 'interrupted',
        checksum: null,
        startedAt,
        note: `${holder} was not heard of again`,
        token: lease.token,
      });
    });
  }

  async #perform(run: Run, steps: readonly Step[], progress: readonly Progress[]): Promise<MigrationRun[]> {
    const done: MigrationRun[] = [];
    for (const step of steps) {
      const { name, transactional } = step.migration;
      const begun = performance.now();
      run.report({ kind: 'started', name, direction: step.direction });
      await run.lease.begin({ migration: name, direction: step.direction });
      await (transactional ? runInTransaction(run, step) : runStepByStep(run, step, progress));
      await run.lease.rest();
      const duration = Math.round(performance.now() - begun);
      run.report({ kind: 'done', name, direction: step.direction, duration });
      done.push({ name, direction: step.direction, duration });
    }
    return done;
  }

  #limits(): Limits {
    const { lockTimeout = 1_000, lockRetry = 60_000, statementTimeout = 900_000 } = this.#options;
    return { lockTimeout, lockRetry, statementTimeout };
  }

  readonly #report = (event: MigrationEvent): void => this.#options.onEvent?.(event);
}

// The heartbeat would wait for the work, and the lease be lost on the way.
function refuseSmallPool(orm: MikroORM): void {
  const max = poolSize(orm);
  if (max !== null && max < 3)
    throw new RefusedError(`pool.max is ${max}, and migrations need 3 connections: set it to 3 or more`);
}

function refuseTimes({ lockTimeout, lockRetry, statementTimeout, lockWait, lease }: MigratorOptions): void {
  for (const [name, time] of Object.entries({ lockTimeout, lockRetry, statementTimeout, lockWait, lease })) {
    if (time !== undefined && !isTime(time))
      throw new RefusedError(`${name}: ${time} is no time in milliseconds`);
  }
  // It is renewed three times before it ends, over whatever network there is.
  if (lease !== undefined && lease < 100)
    throw new RefusedError(`lease: ${lease} ms are too short to be renewed in time: allow 100 at least`);
}
