import type { MikroORM } from '@mikro-orm/postgresql';
import { baseline, type BaselineRequest } from './baseline.ts';
import { refuseGaps } from './ledger/compare-log.ts';
import type { MigratedDatabase } from './catalog/migrated-database.ts';
import { IgnoredObjects } from './catalog/ignored-objects.ts';
import { withConfiguredOptions } from './comparison-options.ts';
import { check, type CheckResult } from './check.ts';
import { findDrift, type SchemaDrift } from './drift/find-drift.ts';
import { driftRefusal } from './drift/summarize-drift.ts';
import type { DownRequest, UpRequest } from './ledger/requests.ts';
import { readMigrations } from './files/read-migrations.ts';
import { sameInOtherText, withEdits } from './ledger/edits.ts';
import { readDatabase, readState, stateOf, type State } from './ledger/state.ts';
import { statusOf, type MigrationStatus } from './ledger/status.ts';
import { readHistory, type HistoryItem } from './ledger/history.ts';
import { poolSession } from './session/session.ts';
import { withPermissionHint } from './session/with-permission-hint.ts';
import { tablesOf, type MigratorTables } from './ledger/tables.ts';
import { refuseDroppedSchema } from './leftovers/dropped-schema.ts';
import { lossesOfDown, type DownLosses } from './losses/down-losses.ts';
import { refuseInvalidTimes, refuseSmallPool, type MigratorOptions } from './migrator-options.ts';
import { replacedColumns, type ReplacedColumn } from './rename-column/replaced-columns.ts';
import { parkedObjects, purge, type ParkedObject } from './parking/parked-objects.ts';
import { appliedUpTo, planOf, type PlannedMigration, type PlanSource } from './plan/plan.ts';
import { RowChecks } from './prechecks/row-checks.ts';
import { selectDown, selectUp } from './plan/selection.ts';
import { downSteps, upSteps } from './plan/steps.ts';
import type { Forecast, ForecastRequest } from './forecast/forecast.ts';
import { lint, orderOf, type LintRequest } from './lint/lint.ts';
import type { LintReport } from './lint/observation/finding.ts';
import type { Limits } from './run/context/limits.ts';
import type { Patience } from './run/locks/retry-while-locked.ts';
import { repair, type RepairRequest } from './repair.ts';
import { Runner, type MigrationRun } from './run/runner.ts';
import type { Step } from './run/context/step.ts';
import { MigrationRefusedError } from './session/errors.ts';
import type { Certificate } from './verify/certificate.ts';
import type { VerifyRequest } from './verify/verify.ts';

/** What a plan starts from. */
export interface PlanBasis {
  /** The last migration to regard as applied, with all before it; null for none. Read from the database when absent. */
  readonly from?: string | null | undefined;
}

/**
 * Runs the migrations of a MikroORM project on PostgreSQL, one runner at a time, each migration once. Needs a pool of at least three
 * connections: for the work, for the heartbeat, and for reading which sessions block the work.
 */
export class Migrator {
  readonly #orm: MikroORM;
  readonly #options: MigratorOptions;
  readonly #ignored: IgnoredObjects;
  readonly #schema: string;
  readonly #tables: MigratorTables;
  readonly #rowChecks: RowChecks;

  /** @throws MigrationRefusedError when `schema` is not a plain name, `migrations.schema` is set, an option is not a time in milliseconds, or a
   * pattern of `ignore` is invalid. */
  constructor(orm: MikroORM, options: MigratorOptions = {}) {
    refuseInvalidTimes(options);
    this.#orm = orm;
    this.#options = withConfiguredOptions(orm, options);
    this.#ignored = new IgnoredObjects(this.#options.ignore);
    this.#schema = options.schema ?? 'migrator';
    this.#tables = tablesOf(orm, this.#schema);
    this.#rowChecks = new RowChecks(orm, this.#options);
  }

  /**
   * Returns every migration that the code or the database has, in the code's order. Calls none of them, and changes nothing.
   */
  async status(): Promise<MigrationStatus[]> {
    return statusOf(await readState(this.#orm, this.#tables));
  }

  /**
   * Compares the schema with what the last run left, fast enough for each start of a service: reads the catalog alone, without a scratch
   * database, and changes nothing. What was not recorded is not compared: after a run of an earlier version, of another tool or one that
   * was killed, and while a migration runs or is unfinished.
   */
  drift(): Promise<SchemaDrift> {
    return findDrift(this.#database());
  }

  /**
   * Applies pending migrations, oldest first, optional ones only where `request` names them, and returns them. Of several runners at once, one migrates; the others wait and find
   * nothing to do. Where all that a squash replaces is applied, records the squash in its place. Calls each pending migration and counts
   * the rows that would make its statements fail before the first one is applied; emits `prechecked` with the result.
   *
   * @throws MigrationRefusedError before anything is changed; MigratorError `failed`, `lock_held`, `lock_lost`.
   */
  async up(request: UpRequest = {}): Promise<MigrationRun[]> {
    const state = await this.#readAll();
    if (!request.allowOutOfOrder) refuseGaps(state, this.#tables.log);
    const chosen = await selectUp(state, request);
    await refuseDroppedSchema(this.#database(), state);
    await this.#reportDrift(request);
    const recorded = [...state.progress, ...state.takeovers, ...sameInOtherText(state)];
    if (chosen.length + recorded.length === 0) return [];
    return this.#run(
      state.migrations,
      (before) => upSteps(before, request),
      (steps, before) => this.#rowChecks.refuse(steps, before),
    );
  }

  /**
   * Reverts the migration applied last, or as many as requested, and returns them.
   *
   * @throws MigrationRefusedError before anything is changed; MigratorError `failed`, `lock_held`, `lock_lost`.
   */
  async down(request: DownRequest = {}): Promise<MigrationRun[]> {
    const state = await this.#readAll();
    const chosen = await selectDown(state, request);
    await this.#reportDrift();
    if (chosen.length === 0 && state.progress.length === 0) return [];
    return this.#run(state.migrations, (before) => downSteps(before, request));
  }

  /**
   * Reverts the migration applied last and applies it again.
   *
   * @throws MigrationRefusedError when none is applied; and the errors of `down`.
   */
  async redo(): Promise<MigrationRun[]> {
    await this.#reportDrift();
    return this.#run(await readMigrations(this.#orm), async (before) => {
      const [reversal] = await selectDown(before, {});
      if (!reversal) throw new MigrationRefusedError('no migration is applied: run `up` first');
      return [
        { ...reversal, direction: 'down' },
        { migration: reversal.migration, direction: 'up', statements: null },
      ];
    });
  }

  /**
   * Returns which tables would lose rows, or values of columns, if `down` were run now, or `redo` where nothing is requested. Reverts
   * the migrations on a scratch database of the same server, and reads from the connected one which tables hold rows; where no table
   * does, it creates none. Where a scratch database can't be created, or the result depends on rows, it returns every table that holds
   * rows, and the reason. Changes nothing; needs no lease.
   *
   * @throws MigrationRefusedError when `down` would be refused.
   */
  async lossesOfDown(request: DownRequest = {}): Promise<DownLosses> {
    return lossesOfDown(this.#database(), await this.#readAll(), request);
  }

  /**
   * Returns what `up` would send and record, migration by migration, under the same conditions. Calls each of these once, with every handle of
   * the database closed to it. Reads from the database what is applied, and counts the rows that would make a statement fail. With `from` it
   * opens no connection, and does not detect migrations
   * that were edited since.
   *
   * @throws MigrationRefusedError when `up` would be refused, or there is no migration `from`.
   */
  async planUp({ from, ...request }: UpRequest & PlanBasis = {}): Promise<PlannedMigration[]> {
    const state = await this.#stateFrom(from);
    if (from === undefined) {
      if (!request.allowOutOfOrder) refuseGaps(state, this.#tables.log);
      await refuseDroppedSchema(this.#database(), state);
      if (request.refuseDrift) await this.#reportDrift(request);
    }
    return planOf(
      state,
      this.#limits(),
      (before) => upSteps(before, request),
      this.#sourceFrom(from, (steps, before) => this.#rowChecks.count(steps, before)),
    );
  }

  /** Returns what `down` would send; otherwise as `planUp`. */
  async planDown({ from, ...request }: DownRequest & PlanBasis = {}): Promise<PlannedMigration[]> {
    const planned = await planOf(
      await this.#stateFrom(from),
      this.#limits(),
      (before) => downSteps(before, request),
      this.#sourceFrom(from),
    );
    // Without one to revert, `down` records nothing either.
    return planned.some(({ takesOver }) => takesOver.length === 0) ? planned : [];
  }

  /**
   * Returns how long steps will take on the rows that the tables have now, and what they will block meanwhile, in their order: pass what
   * `planUp` or `planDown` returns. Runs them on scratch databases of the same server with generated rows, up to 400,000 in a table, and
   * extrapolates. Reads statistics of the connected database, no rows, and changes nothing; needs no lease.
   *
   * @throws MigrationRefusedError when the role may not create databases; MigratorError `failed` when an applied migration fails there.
   */
  async forecast(steps: readonly ForecastRequest[]): Promise<Forecast[]> {
    const { forecastSteps } = await import('./forecast/forecast-steps.ts');
    return forecastSteps(this.#database(), await readState(this.#orm, this.#tables), steps);
  }

  /**
   * Compares the database with what its migrations create, in the order in which they were applied, and what all migrations create with
   * the entities: on a scratch database of the same server, which is dropped at the end. Changes nothing; needs no lease.
   *
   * @throws MigrationRefusedError when the role may not create databases; MigratorError `failed` when a migration fails on the scratch database.
   */
  check(): Promise<CheckResult> {
    return check(this.#database());
  }

  /**
   * Returns the unsafe forms in migrations, by default the pending ones, by what their statements lock and do on a scratch database.
   * Changes nothing; needs no lease.
   *
   * @throws MigrationRefusedError for an unknown name, or when the role may not create databases.
   */
  async lint(request: LintRequest = {}): Promise<LintReport> {
    const state = await readState(this.#orm, this.#tables);
    const report = await lint(this.#database(), state, this.#limits(), request);
    if (request.rows === undefined) return report;
    const { withHeldTimes } = await import('./forecast/lint-at-rows.ts');
    const order = orderOf(state, new Set(report.migrations));
    return withHeldTimes(this.#database(), report, { order, rows: request.rows });
  }

  /**
   * Runs migrations up and down on scratch databases of the same server with generated rows, and returns a certificate for each, in the
   * order of the code. What is lost or refused must be what the migration declares (`static loses`, `static refuses`). Changes nothing on
   * the connected database; needs no lease.
   *
   * @throws MigrationRefusedError when the role may not create databases, for an unknown name, or when a `.rows.sql` fails; MigratorError
   * `failed` when a migration before one of these fails.
   */
  async verify(request: VerifyRequest = {}): Promise<Certificate[]> {
    const { verify } = await import('./verify/verify.ts');
    const { traffic = false } = request;
    if (traffic === false) return verify(this.#database(), request);
    const { trafficMeasure } = await import('./traffic/measure-traffic.ts');
    const workloads = traffic === true ? null : traffic;
    return verify(this.#database(), request, trafficMeasure(this.#limits().lockTimeout, workloads));
  }

  /**
   * Records the migrations up to `name` as applied to a schema that was created in another way, and returns the names of those that were
   * not recorded before, oldest first. Of optional ones, only `name` and those in `optional`. First compares the schema with one that these migrations create on a scratch database. Emits
   * `unverified` for each that also changes rows or runs code, whose effect it can't compare.
   *
   * @throws MigrationRefusedError when it differs in anything, when a later migration is applied, or when the role may not create databases;
   * nothing is recorded then. MigratorError `lock_held`, `lock_lost`.
   */
  async baseline(name: string, { optional }: Omit<BaselineRequest, 'name'> = {}): Promise<string[]> {
    refuseSmallPool(this.#orm);
    const migrations = await readMigrations(this.#orm);
    return this.#runner().withLease(async (lease) => {
      const state = await withEdits(stateOf(migrations, await readDatabase(this.#orm, this.#tables)));
      const request = { name, optional };
      return baseline(this.#database(), lease, state, request, (event) => this.#options.onEvent?.(event));
    });
  }

  /**
   * Changes the books where no other command can go on, and records that with the reason in the history. Changes no table of the project,
   * but `abandon` drops the INVALID index of an interrupted `create index concurrently`.
   *
   * @throws MigrationRefusedError when the action does not fit the state of the migration; nothing is changed then. MigratorError
   * `lock_held`, `lock_lost`.
   */
  async repair(request: RepairRequest): Promise<void> {
    refuseSmallPool(this.#orm);
    const migrations = await readMigrations(this.#orm);
    await this.#reportDrift();
    return this.#runner().withLease(async (lease) => {
      const state = await withEdits(stateOf(migrations, await readDatabase(this.#orm, this.#tables)));
      await repair(this.#database(), lease, state, request);
    });
  }

  /** Returns the columns and tables that migrations have parked, the oldest first. Changes nothing. */
  parked(): Promise<ParkedObject[]> {
    return parkedObjects(poolSession(this.#orm));
  }

  /** Returns the columns that wait to be dropped because others replace them: see `renameColumn` of `createMigration`. Changes nothing. */
  replaced(): Promise<ReplacedColumn[]> {
    return replacedColumns(poolSession(this.#orm));
  }

  /**
   * Drops what was parked for longer than an interval, as PostgreSQL reads it (`30 days`), and returns that, the oldest first. Records each in
   * the history. Their migrations can't be reverted afterwards.
   *
   * @throws MigrationRefusedError when it is not an interval; MigratorError `failed`, `lock_held`, `lock_lost`.
   */
  async purge({ olderThan }: { readonly olderThan: string }): Promise<ParkedObject[]> {
    refuseSmallPool(this.#orm);
    const { onEvent, signal } = this.#options;
    const patience: Patience = { limits: this.#limits(), report: (event) => onEvent?.(event), signal };
    return this.#runner().withLease((lease) => purge(this.#database(), lease, olderThan, patience));
  }

  /** Returns the latest `limit` entries of the history, newest first; default 50. Changes nothing. */
  async history({ limit = 50 }: { readonly limit?: number } = {}): Promise<HistoryItem[]> {
    return withPermissionHint(() => readHistory(poolSession(this.#orm), this.#tables, limit));
  }

  /**
   * Applies migrations in the given order, without the checks of `up`: so that a scratch database gets the history of another one.
   * `countsRows`: reads rows before as `up` does, but refuses none, so that the same is in memory.
   *
   * @internal
   */
  async repeat(
    names: readonly string[],
    { countsRows = false }: { readonly countsRows?: boolean } = {},
  ): Promise<MigrationRun[]> {
    const migrations = await readMigrations(this.#orm);
    const choose = async ({ log }: State): Promise<Step[]> => {
      const applied = new Set(log.map((row) => row.name));
      const chosen = names
        .filter((name) => !applied.has(name))
        .flatMap((name) => migrations.find((migration) => migration.name === name) ?? []);
      const loaded = await Promise.all(chosen.map((migration) => migration.load()));
      return loaded.map((migration) => ({ migration, direction: 'up', statements: null }));
    };
    return this.#run(migrations, choose, async (steps, before) => {
      if (countsRows) await this.#rowChecks.count(steps, before);
    });
  }

  // A run records the schema as it leaves it, so that it is the last one to report what was changed before.
  async #reportDrift({ refuseDrift = false }: UpRequest = {}): Promise<void> {
    const { differences } = await this.drift();
    if (differences.length === 0) return;
    if (refuseDrift) throw driftRefusal(differences);
    this.#options.onEvent?.({ kind: 'drift', differences });
  }

  async #run(
    migrations: State['migrations'],
    choose: (state: State) => Promise<Step[]>,
    refuse?: (steps: readonly Step[], state: State) => Promise<void>,
  ): Promise<MigrationRun[]> {
    refuseSmallPool(this.#orm);
    return this.#runner().run(migrations, choose, refuse);
  }

  #runner(): Runner {
    const { lease = 10_000, lockWait = 60_000, onEvent, signal } = this.#options;
    return new Runner(this.#database(), {
      limits: this.#limits(),
      lease,
      lockWait,
      signal,
      report: (event) => onEvent?.(event),
    });
  }

  #limits(): Limits {
    const { lockTimeout = 1_000, lockRetry = 60_000, statementTimeout = 900_000 } = this.#options;
    return { lockTimeout, lockRetry, statementTimeout };
  }

  #database(): MigratedDatabase {
    const { onEvent: _, ...options } = this.#options;
    return {
      orm: this.#orm,
      schema: this.#schema,
      tables: this.#tables,
      ignored: this.#ignored,
      scratchUrl: this.#options.scratchUrl,
      migratorFor: (scratch, guard) =>
        new Migrator(scratch, { ...options, onEvent: (event) => guard?.follow(event) }),
    };
  }

  async #readAll(): Promise<State> {
    return withEdits(await readState(this.#orm, this.#tables));
  }

  async #stateFrom(from: string | null | undefined): Promise<State> {
    return from === undefined ? this.#readAll() : appliedUpTo(await readMigrations(this.#orm), from);
  }

  // A plan from a given basis opens no connection.
  #sourceFrom(from: PlanBasis['from'], precheck: PlanSource['precheck'] = null): PlanSource | null {
    return from === undefined ? { session: poolSession(this.#orm), precheck } : null;
  }
}
