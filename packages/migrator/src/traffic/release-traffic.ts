import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { readTables } from '../rows/tables.ts';
import { describeServerError } from '../session/describe-server-error.ts';
import { connectionSettings } from '../session/own-connection.ts';
import { inTransaction } from '../session/session.ts';
import type { TrafficFailure, TrafficReport } from '../verify/traffic-report.ts';
import type { TrafficWorkloads } from '../verify/verify.ts';
import { connectionUrl } from './connection-url.ts';
import type { TrafficCounts } from './sending/planned-request.ts';
import { directionTraffic } from './report.ts';
import { runUnderTraffic } from './run-under-traffic.ts';
import { longer, type TrafficSetting } from './traffic-setting.ts';

/** How many callers each workload has. */
const clients = 3;

/**
 * Applies migrations one after the other to a copy, and reverts them, while the requests of two builds' authors are sent: all along those of the
 * previous build, and from the end of the last `up` until the first `down` those of this build. Returns a report for each by its name, those
 * before the one whose run fails.
 *
 * @throws MigrationRefusedError when a module has no workload, or one of its requests fails before the first `up`.
 */
export async function releaseTraffic(
  setting: TrafficSetting,
  migrations: readonly LoadedMigration[],
  workloads: TrafficWorkloads,
): Promise<ReadonlyMap<string, TrafficReport>> {
  try {
    const run = new ReleaseRun(setting, workloads, await setting.workspace.open());
    await run.apply(migrations);
    return run.reports;
  } finally {
    await setting.workspace.discard();
  }
}

class ReleaseRun {
  readonly reports = new Map<string, TrafficReport>();
  readonly #setting: TrafficSetting;
  readonly #workloads: TrafficWorkloads;
  readonly #copy: MikroORM;

  constructor(setting: TrafficSetting, workloads: TrafficWorkloads, copy: MikroORM) {
    this.#setting = setting;
    this.#workloads = workloads;
    this.#copy = copy;
  }

  async apply(migrations: readonly LoadedMigration[]): Promise<void> {
    const { old } = this.#setting.threads;
    const isSent = await this.#open('old', true);
    if (isSent) await old.pass();
    await old.take();
    const applied: LoadedMigration[] = [];
    for (const migration of migrations) {
      const failure = await this.#migrate('up', migration);
      const isLast = !failure && migration === migrations.at(-1);
      const ofNew = isLast ? await this.#sendNew() : null;
      if (!failure) await old.pass();
      this.#record('up', migration, { old: await old.take(), new: ofNew, failure });
      if (failure) break;
      applied.push(migration);
    }
    if (applied.length === migrations.length)
      for (const migration of applied.toReversed()) {
        if (!migration.hasDown) break;
        const failure = await this.#migrate('down', migration);
        if (!failure) await old.pass();
        this.#record('down', migration, { old: await old.take(), new: null, failure });
        if (failure) break;
      }
    await old.close();
  }

  async #sendNew(): Promise<TrafficCounts> {
    const { threads } = this.#setting;
    if (await this.#open('new', false)) await threads.new.pass();
    return threads.new.close();
  }

  /** Returns whether the build has a workload. */
  async #open(code: 'old' | 'new', isBefore: boolean): Promise<boolean> {
    const path = this.#workloads[code];
    if (path === undefined) return false;
    const module = pathToFileURL(resolve(path)).href;
    const url = connectionUrl(await connectionSettings(this.#copy));
    const thread = this.#setting.threads[code];
    await thread.open({ kind: 'authors', module, url, clients }, { isBefore });
    await thread.start();
    return true;
  }

  async #migrate(direction: Direction, migration: LoadedMigration): Promise<TrafficFailure | null> {
    const { context, runner, threads } = this.#setting;
    const { tables } = await inTransaction(this.#copy, (session) =>
      readTables(session, context.schema, context.log),
    );
    try {
      await runUnderTraffic(this.#copy, runner, migration, direction, {
        tables: tables.map(({ name }) => name),
        holding: this.#lockTimeout(migration) + longer,
        pass: () => threads.old.pass(),
      });
      return null;
    } catch (error) {
      const what = describeServerError(error, []);
      return {
        code: 'migration',
        during: direction,
        object: migration.name,
        what,
        requests: 1,
        declared: null,
      };
    }
  }

  #record(
    direction: Direction,
    migration: LoadedMigration,
    counted: {
      readonly old: TrafficCounts;
      readonly new: TrafficCounts | null;
      readonly failure: TrafficFailure | null;
    },
  ): void {
    const known = this.reports.get(migration.name);
    const failures = [
      ...failuresOf('old', direction, counted.old),
      ...(counted.new ? failuresOf('new', direction, counted.new) : []),
      ...(counted.failure ? [counted.failure] : []),
    ];
    const figures = directionTraffic(direction, [counted.old, ...(counted.new ? [counted.new] : [])], {
      failures,
      lockTimeout: this.#lockTimeout(migration),
    });
    this.reports.set(migration.name, {
      up: known?.up ?? figures,
      down: direction === 'down' ? figures : null,
      failures: [...(known?.failures ?? []), ...failures],
      assumed: [],
      notCovered: [],
    });
  }

  #lockTimeout({ settings }: LoadedMigration): number {
    return settings.lockTimeout ?? this.#setting.lockTimeout;
  }
}

function failuresOf(code: 'old' | 'new', during: Direction, { failures }: TrafficCounts): TrafficFailure[] {
  return failures.map(({ request, error, requests }) => ({
    code,
    during,
    object: `request ${request}`,
    what: error.message,
    requests,
    declared: null,
  }));
}
