import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { fillTables } from '../rows/fill.ts';
import { Parents } from '../rows/parents.ts';
import { Pools } from '../rows/pools.ts';
import { createFunctions } from '../rows/server-functions.ts';
import type { TableCatalog } from '../rows/tables.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { connectionSettings } from '../session/own-connection.ts';
import { inTransaction } from '../session/session.ts';
import type { VerificationContext } from '../verify/context.ts';
import { touchedTables } from '../verify/sources.ts';
import { isServed, type TrafficFailure, type TrafficReport } from '../verify/traffic-report.ts';
import type { Workspace } from '../verify/workspace.ts';
import { explainFailures } from './explain-failures.ts';
import type { Counted, PlannedRequest } from './planned-request.ts';
import { planRequests } from './plan-requests.ts';
import { removeRefusedRows } from './remove-refused-rows.ts';
import { lastingRows } from './lasting-rows.ts';
import { directionTraffic } from './report.ts';
import { runUnderTraffic, type CopyRunner } from './run-under-traffic.ts';
import type { SendingThread } from './sending-thread.ts';
import { sidesOf, type TrafficSides } from './sides-of.ts';
import { unusedByOldCode, type ReplacedColumns, type UnusedObjects } from './unused-by-code.ts';

/** What generated requests are sent with. */
export interface GeneratedSetting {
  readonly context: VerificationContext;
  readonly workspace: Workspace;
  readonly threads: { readonly old: SendingThread; readonly new: SendingThread };
  readonly runner: CopyRunner;
  readonly lockTimeout: number;
}

// The numbers of the rows of each build: others than those of the rows that stay.
const firstRow = { old: 1_000, new: 3_000 };
const connections = 4;
// The long transaction outlasts a lock timeout, and what the runner does before its first statement.
const longer = 500;

/**
 * Applies and reverts a migration on a copy with a few generated rows, while requests are sent: all along those of the code of before `up`, and
 * from the end of `up` until `down` begins those of the code of after it. Returns null when `up` fails without rows.
 */
export async function generatedTraffic(
  setting: GeneratedSetting,
  migration: LoadedMigration,
): Promise<TrafficReport | null> {
  const sides = await sidesOf(setting.context, setting.workspace, migration);
  if (!sides) return null;
  const run = async (): Promise<TrafficReport> => {
    try {
      return await new GeneratedRun(setting, migration, sides, await setting.workspace.open()).run();
    } finally {
      await setting.workspace.discard();
    }
  };
  const first = await run();
  const isOnlyStalled = first.failures.every(({ declared }) => declared !== null) && !isServed(first);
  if (!isOnlyStalled) return first;
  // A busy machine delays an answer once; a lock that is held for too long does so each time.
  const second = await run();
  return isServed(second) ? second : first;
}

class GeneratedRun {
  readonly #setting: GeneratedSetting;
  readonly #migration: LoadedMigration;
  readonly #sides: TrafficSides;
  readonly #copy: MikroORM;
  readonly #failures: TrafficFailure[] = [];
  readonly #notCovered = new Set<string>();
  readonly #counted: Counted[] = [];

  constructor(setting: GeneratedSetting, migration: LoadedMigration, sides: TrafficSides, copy: MikroORM) {
    this.#setting = setting;
    this.#migration = migration;
    this.#sides = sides;
    this.#copy = copy;
  }

  async run(): Promise<TrafficReport> {
    const { before, after } = this.#sides;
    const { threads } = this.#setting;
    const replaced: ReplacedColumns = new Set();
    const unused = unusedByOldCode(before, after, this.#migration.declarations(), replaced);
    const planned = await this.#prepareOld(unused);
    await this.#open('old', planned, before, 'idle');
    await threads.old.start();
    await threads.old.pass();
    await threads.old.count('up');
    const isUp = await this.#migrate('up', before, unused.tables);
    if (isUp) {
      await threads.old.pass();
      await this.#open('new', await this.#planNew(), after, 'up');
      await threads.new.start();
      await Promise.all([threads.old.pass(), threads.new.pass()]);
      await this.#close('new');
    }
    const isReverted = isUp && this.#migration.hasDown && (await this.#revert());
    await this.#close('old');
    const lockTimeout = this.#lockTimeout();
    const figures = { failures: this.#failures, lockTimeout };
    return {
      up: directionTraffic('up', this.#counted, figures),
      down: isReverted ? directionTraffic('down', this.#counted, figures) : null,
      failures: this.#failures,
      assumed: unused.assumed,
      notCovered: [...this.#notCovered].toSorted(),
    };
  }

  async #revert(): Promise<boolean> {
    const { old } = this.#setting.threads;
    await old.count('down');
    if (!(await this.#migrate('down', this.#sides.after))) return false;
    await old.pass();
    return true;
  }

  /** Fills the copy with a few rows that `up` accepts, and returns the requests of the code of before `up`. */
  async #prepareOld({ columns, tables: unusedTables }: UnusedObjects): Promise<PlannedRequest[]> {
    const { learned } = this.#setting.context;
    const { before, after, harvest, changes } = this.#sides;
    const templates = lastingRows(before, after, this.#setting.context.templates);
    const pools = await inTransaction(this.#copy, async (session) => {
      await createFunctions(session);
      const found = await Pools.learn(session, { tables: before, other: after, harvest, learned });
      const filling = { tables: before, pools: found, harvest, touched: new Set<string>(), templates };
      await fillTables(session, filling, 'plain', 1);
      return found;
    });
    await removeRefusedRows(this.#copy, this.#migration, { tables: before, target: after });
    return inTransaction(this.#copy, async (session) =>
      planRequests({
        catalog: before,
        unused: columns,
        unusedTables,
        pools,
        harvest,
        touched: touchedTables(before, harvest, changes),
        templates,
        parents: await Parents.load(session, before),
        from: firstRow.old,
      }),
    );
  }

  async #planNew(): Promise<PlannedRequest[]> {
    const { after, poolsAfter, harvest, changes } = this.#sides;
    return inTransaction(this.#copy, async (session) =>
      planRequests({
        catalog: after,
        unused: new Map(),
        unusedTables: new Set(),
        pools: poolsAfter,
        harvest,
        touched: touchedTables(after, harvest, changes),
        templates: this.#setting.context.templates,
        parents: await Parents.load(session, after),
        from: firstRow.new,
      }),
    );
  }

  async #open(
    code: 'old' | 'new',
    requests: readonly PlannedRequest[],
    catalog: TableCatalog,
    phase: 'idle' | 'up',
  ): Promise<void> {
    // Those of a table are sent by one connection, so that no two of them write the same row.
    const lanes = Array.from({ length: connections }, (_, index) =>
      requests.filter(({ table }) => table % connections === index),
    );
    const connection = await connectionSettings(this.#copy);
    const reached = await this.#setting.threads[code].open({ kind: 'generated', connection, lanes }, phase);
    for (const [index, table] of catalog.tables.entries())
      if (requests.some((one) => one.table === index) && !reached.includes(index))
        this.#notCovered.add(table.label);
  }

  async #close(code: 'old' | 'new'): Promise<void> {
    const { before, after } = this.#sides;
    const counted = await this.#setting.threads[code].close();
    this.#counted.push(counted);
    this.#failures.push(
      ...explainFailures({
        code,
        failures: counted.failures,
        own: code === 'old' ? before : after,
        other: code === 'old' ? after : before,
        declarations: this.#migration.declarations(),
      }),
    );
  }

  /** Runs a direction; a failure is recorded. Returns whether it succeeded. */
  async #migrate(
    direction: Direction,
    { tables }: TableCatalog,
    unused: ReadonlySet<string> = new Set(),
  ): Promise<boolean> {
    const names = tables.map(({ name }) => name).filter((name) => !unused.has(name));
    const { runner, threads } = this.#setting;
    try {
      await runUnderTraffic(this.#copy, runner, this.#migration, direction, {
        tables: names,
        holding: this.#lockTimeout() + longer,
        pass: () => threads.old.pass(),
      });
      return true;
    } catch (error) {
      this.#failures.push({
        code: 'migration',
        during: direction,
        object: this.#migration.name,
        what: describeServerError(error, []),
        requests: 1,
        declared: null,
      });
      return false;
    }
  }

  #lockTimeout(): number {
    return this.#migration.settings.lockTimeout ?? this.#setting.lockTimeout;
  }
}
