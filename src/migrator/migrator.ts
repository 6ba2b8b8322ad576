import type { MikroORM } from '@mikro-orm/postgresql';
import { ensureTables, tablesOf, type Tables } from './bookkeeping.ts';
import type { Direction, EmittedMigration } from './emitted-migration.ts';
import { RefusedError } from './errors.ts';
import { addToHistory } from './history.ts';
import { Lease } from './lease.ts';
import { runInTransaction } from './run-in-transaction.ts';
import { runStepByStep } from './run-step-by-step.ts';
import type { Limits, MigrationEvent, Run, Step } from './run.ts';
import { selectDown, selectUp, type DownRequest, type UpRequest } from './selection.ts';
import { inTransaction, poolSession } from './session.ts';
import { readDatabase, readMigrations, readState, type Progress, type State } from './state.ts';
import { statusOf, type MigrationStatus } from './status.ts';

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
  /** How long a runner that is not heard of keeps others out. Default 10,000. */
  readonly lease?: number | undefined;
  /** Told what happens. */
  readonly onEvent?: ((event: MigrationEvent) => void) | undefined;
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

  /** @throws RefusedError when the schema or the log table has a name that needs quotes. */
  constructor(orm: MikroORM, options: MigratorOptions = {}) {
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
    if (selectUp(state, request).length === 0 && state.progress.length === 0) return [];
    return this.#alone(migrations, (before) => {
      const late = new Set(
        statusOf(before).flatMap(({ name, condition }) => (condition === 'late' ? [name] : [])),
      );
      return selectUp(before, request).map((migration) => ({
        migration,
        direction: 'up',
        note: late.has(migration.name) ? 'out of order' : undefined,
      }));
    });
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
    return this.#alone(migrations, (before) =>
      selectDown(before, request).map((migration) => ({ migration, direction: 'down' })),
    );
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

  /** Takes the lease, ends what somebody left half done, and runs the steps that `choose` finds then. */
  async #alone(
    migrations: readonly EmittedMigration[],
    choose: (state: State) => Step[],
  ): Promise<MigrationRun[]> {
    refuseSmallPool(this.#orm);
    await ensureTables(this.#orm, this.#schema, this.#tables);
    const session = poolSession(this.#orm);
    const { lease: duration = 10_000, lockWait: wait = 60_000 } = this.#options;
    const lease = await Lease.acquire(session, this.#tables, {
      duration,
      wait,
      onWait: (holder) => this.#report({ kind: 'waiting', holder }),
    });
    try {
      const run = {
        orm: this.#orm,
        tables: this.#tables,
        lease,
        limits: this.#limits(),
        report: this.#report,
      };
      await this.#remember(run);
      const found = await this.#read(migrations);
      // What is half done and not asked for comes first, in the direction that it had.
      const asked = new Set(choose(found).map(keyOf));
      const first = unfinished(found).filter((step) => !asked.has(keyOf(step)));
      const finished = await this.#perform(run, first, found.progress);
      const state = first.length > 0 ? await this.#read(migrations) : found;
      return [...finished, ...(await this.#perform(run, choose(state), state.progress))];
    } finally {
      await lease.release();
    }
  }

  async #read(migrations: readonly EmittedMigration[]): Promise<State> {
    return { migrations, ...(await readDatabase(this.#orm, this.#tables)) };
  }

  /** Notes in the history what a former holder never ended. */
  async #remember({ lease, tables }: Run): Promise<void> {
    if (!lease.abandoned) return;
    const { migration: name, direction, startedAt, holder } = lease.abandoned;
    await inTransaction(this.#orm, async (transaction) => {
      await lease.guard(transaction);
      await addToHistory(transaction, tables, {
        name,
        direction: direction === 'down' ? 'down' : 'up',
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
  const max = orm.config.get('pool')?.max ?? 10;
  if (max < 3)
    throw new RefusedError(`a pool of ${max} is too small to migrate with: set pool.max to 3 or more`);
}

function keyOf({ migration, direction }: Step): string {
  return `${direction} ${migration.name}`;
}

/** The steps outside transactions that stopped on the way. */
function unfinished({ migrations, progress }: State): Step[] {
  const steps = new Map<string, Step>();
  for (const { name, direction } of progress) {
    const migration = migrations.find((one) => one.name === name);
    if (migration) steps.set(`${direction} ${name}`, { migration, direction });
  }
  return [...steps.values()];
}
