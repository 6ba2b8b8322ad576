import { digestOf } from '../files/code-migration.ts';
import type { Progress } from '../ledger/state.ts';
import { leftIndexes } from '../leftovers/left-indexes.ts';
import { parseTarget } from '../leftovers/statement-target.ts';
import type { Session } from '../session/session.ts';
import type { Run } from './context/run.ts';
import { withBlockerReports } from './locks/with-blocker-reports.ts';

/** Drops the INVALID indexes of unfinished statements that were edited or removed since: what takes their place does not resume them. */
export async function dropFormerIndexes(
  run: Run,
  session: Session,
  {
    name,
    statements,
    recorded,
  }: {
    readonly name: string;
    readonly statements: readonly string[];
    readonly recorded: readonly Progress[];
  },
): Promise<void> {
  for (const { statement, checksum, done, place } of recorded) {
    const sql = statements[statement];
    const target = done || place === null ? null : parseTarget(place);
    if (!target || (sql !== undefined && digestOf([sql]) === checksum)) continue;
    for (const drop of await leftIndexes(target, session))
      await withBlockerReports(run, name, () => run.lease.send(session, drop));
  }
}
