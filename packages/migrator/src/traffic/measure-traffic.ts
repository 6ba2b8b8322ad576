import type { OpenTraffic } from '../verify/verify-each.ts';
import type { TrafficWorkloads } from '../verify/verify.ts';
import type { TrafficReport } from '../verify/traffic-report.ts';
import { Workspace } from '../verify/workspace.ts';
import { generatedTraffic } from './generated-traffic.ts';
import { releaseTraffic } from './release-traffic.ts';
import { addTraffic } from './report.ts';
import { SendingThread } from './sending/sending-thread.ts';

/**
 * Returns what sends requests while the migrations of `verify` are applied to copies: generated ones for each migration, and those of the
 * workloads for all of them in turn.
 *
 * @param lockTimeout of the runner, in milliseconds.
 */
export function trafficMeasure(lockTimeout: number, workloads: TrafficWorkloads | null): OpenTraffic {
  return async ({ migrated, server, scratch, guard, range }) => {
    const workspace = await Workspace.of(server, scratch, 'traffic');
    const threads = { old: new SendingThread(), new: new SendingThread() };
    const runner = { migrated, guard };
    let ofAuthors: ReadonlyMap<string, TrafficReport> | null = null;
    return {
      async measure(context, migration) {
        const setting = { context, workspace, threads, runner, lockTimeout };
        if (workloads) ofAuthors ??= await releaseTraffic(setting, range, workloads);
        const generated = await generatedTraffic(setting, migration);
        const authors = ofAuthors?.get(migration.name);
        return generated && authors ? addReports(generated, authors) : generated;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([threads.old, threads.new].map((thread) => thread[Symbol.asyncDispose]()));
        await workspace.discard();
      },
    };
  };
}

function addReports(one: TrafficReport, other: TrafficReport): TrafficReport {
  return {
    ...one,
    up: addTraffic(one.up, other.up),
    down: one.down && other.down ? addTraffic(one.down, other.down) : one.down,
    failures: [...one.failures, ...other.failures],
  };
}
