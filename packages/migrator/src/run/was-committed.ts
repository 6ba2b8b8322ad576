import { setTimeout } from 'node:timers/promises';
import { poolSession } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';

/** Whether the history lists a step as done. Called when the answer to its commit was lost. */
export async function wasCommitted(run: Run, { migration, direction }: Step): Promise<boolean> {
  // The server may be restarting.
  for (let attempt = 0; ; attempt++) {
    try {
      await run.lease.terminateLeftProcesses();
      const found = await poolSession(run.orm).query(
        `select 1 from ${run.tables.history} where token = $1 and name = $2 and direction = $3 and outcome = 'done'`,
        [run.lease.token, migration.name, direction],
      );
      return found.length > 0;
    } catch (error) {
      if (attempt >= 20 || !isLostConnection(error)) return false;
      await setTimeout(500);
    }
  }
}
