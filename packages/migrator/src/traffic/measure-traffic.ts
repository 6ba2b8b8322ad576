import type { LoadedMigration } from '../files/code-migration.ts';
import type { OpenTraffic } from '../verify/verify.ts';
import { Workspace } from '../verify/workspace.ts';
import { generatedTraffic } from './generated-traffic.ts';
import { SendingThread } from './sending-thread.ts';

/** Returns what sends requests while the migrations of `verify` are applied to copies. @param lockTimeout of the runner, in milliseconds. */
export function trafficMeasure(lockTimeout: number): OpenTraffic {
  return async ({ migrated, server, scratch, guard }) => {
    const workspace = await Workspace.of(server, scratch, 'traffic');
    const threads = { old: new SendingThread(), new: new SendingThread() };
    return {
      measure: (context, migration: LoadedMigration) =>
        generatedTraffic(
          {
            context,
            workspace,
            threads,
            runner: { migrated, guard },
            lockTimeout,
          },
          migration,
        ),
      async [Symbol.asyncDispose]() {
        await Promise.all([threads.old, threads.new].map((thread) => thread[Symbol.asyncDispose]()));
        await workspace.discard();
      },
    };
  };
}
