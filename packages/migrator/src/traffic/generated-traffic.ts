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
import { touchedTables } from '../verify/sources.ts';
import { isServed, type TrafficFailure, type TrafficReport } from '../verify/traffic-report.ts';
import { explainFailures } from './explain-failures.ts';
import type { TrafficCounts, PlannedRequest } from './sending/planned-request.ts';
import { planRequests } from './plan-requests.ts';
import { removeRefusedRows } from './remove-refused-rows.ts';
import { lastingRows } from './lasting-rows.ts';
import { directionTraffic } from './report.ts';
import { runUnderTraffic } from './run-under-traffic.ts';
import { trafficSidesOf, type TrafficSides } from './sides-of.ts';
import { longer, type TrafficSetting } from './traffic-setting.ts';
import { unusedByOldCode, type UnusedObjects } from './unused-by-code.ts';

// The numbers of the rows of each build: others than those of the rows that stay.
const firstRow = { old: 1_000, new: 3_000 };
const connections = 4;

/**
 * Applies and reverts a migration on a copy with a few generated rows, while requests are sent: all along those of the code of before `up`, and
 * from the end of `up` until `down` begins those of the code of after it. Returns null when `up` fails without rows.
 */
export async function generatedTraffic(
  setting: TrafficSetting,
  migration: LoadedMigration,
): Promise<TrafficReport | null> {
  const sides = await trafficSidesOf(setting.context, setting.workspace, migration);
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
  readonly #setting: TrafficSetting;
  readonly #migration: LoadedMigration;
  readonly #sides: TrafficSides;
  readonly #copy: MikroORM;
  readonly #failures: TrafficFailure[] = [];
  readonly #notCovered = new Set<string>();

  constructor(setting: TrafficSetting, migration: LoadedMigration, sides: TrafficSides, copy: MikroORM) {
    this.#setting = setting;
    this.#migration = migration;
    this.#sides = sides;
    this.#copy = copy;
  }

  async run(): Promise<TrafficReport> {
    const { before, after } = this.#sides;
    const { threads } = this.#setting;
    const unused = unusedByOldCode(before, after, this.#migration.declarations());
    const planned = await this.#prepareOld(unused);
    await this.#open('old', planned, before);
    await threads.old.start();
    await threads.old.pass();
    await threads.old.take();
    const isUp = await this.#migrate('up', before, unused.tables);
    const ofNew = isUp ? [await this.#sendNew()] : [];
    const ofUp = [await threads.old.take(), ...ofNew];
    this.#explain('old', 'up', ofUp.slice(0, 1));
    this.#explain('new', 'up', ofNew);
    const isDown = isUp && this.#migration.hasDown && (await this.#migrate('down', after));
    if (isDown) await threads.old.pass();
    const ofDown = [await threads.old.close()];
    if (isUp) this.#explain('old', 'down', ofDown);
    const figures = { failures: this.#failures, lockTimeout: this.#lockTimeout() };
    return {
      up: directionTraffic('up', ofUp, figures),
      down: isDown ? directionTraffic('down', ofDown, figures) : null,
      failures: this.#failures,
      assumed: unused.assumed,
      notCovered: [...this.#notCovered].toSorted(),
    };
  }

  /** Sends the requests of both builds at once. */
  async #sendNew(): Promise<TrafficCounts> {
    const { threads } = this.#setting;
    await threads.old.pass();
    await this.#open('new', await this.#planNew(), this.#sides.after);
    await threads.new.start();
    await Promise.all([threads.old.pass(), threads.new.pass()]);
    return threads.new.close();
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
  ): Promise<void> {
    // Those of a table are sent by one connection, so that no two of them write the same row.
    const lanes = Array.from({ length: connections }, (_, index) =>
      requests.filter(({ table }) => table % connections === index),
    );
    const connection = await connectionSettings(this.#copy);
    const reached = await this.#setting.threads[code].open(
      { kind: 'generated', connection, lanes },
      { isBefore: code === 'old' },
    );
    for (const [index, table] of catalog.tables.entries())
      if (requests.some((one) => one.table === index) && !reached.includes(index))
        this.#notCovered.add(table.label);
  }

  #explain(code: 'old' | 'new', during: Direction, counted: readonly TrafficCounts[]): void {
    const { before, after } = this.#sides;
    this.#failures.push(
      ...explainFailures({
        code,
        during,
        failures: counted.flatMap(({ failures }) => failures),
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
