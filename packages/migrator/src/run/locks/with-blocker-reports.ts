import { poolSession } from '../../session/session.ts';
import type { Blocker } from '../context/migration-event.ts';
import type { Run } from '../context/run.ts';
import { untilStopped } from '../context/stop-signal.ts';

/**
 * Runs `work`, a statement of a step, and reports twice a second which sessions block it. Cancels it when the run is stopped.
 *
 * @throws as `untilStopped`.
 */
export async function withBlockerReports<T>(run: Run, name: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const report = async (): Promise<void> => {
    const by = await poolSession(run.orm).query<Blocker>(
      `select pid, usename as role, application_name as application, state from pg_stat_activity
       where pid in (select unnest(pg_blocking_pids(pid)) from (${run.lease.workers}) as worker) order by pid`,
    );
    if (by.length > 0) run.report({ kind: 'blocked', name, by, waited: Date.now() - begun });
  };
  let reporting: Promise<void> | undefined;
  const watch = setInterval(() => {
    reporting ??= report()
      // A failed report must not fail the statement.
      .catch(() => {})
      .finally(() => (reporting = undefined));
  }, 500);
  try {
    return await untilStopped(run, work);
  } finally {
    clearInterval(watch);
    await reporting;
  }
}
