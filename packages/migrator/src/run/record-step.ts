import { digestOf, type Emitted } from '../files/code-migration.ts';
import { addToHistory } from '../ledger/history.ts';
import type { Session } from '../session/session.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';

/**
 * Records a finished step in the log and the history. Runs in the step's own transaction where the step has one.
 *
 * @throws Error when a trigger of the log discards the row.
 */
export async function recordStep(
  session: Session,
  run: Run,
  step: Step,
  { startedAt, emitted }: { readonly startedAt: string; readonly emitted: Emitted },
): Promise<void> {
  const { migration, direction, note } = step;
  const { log } = run.tables;
  const changed = await (direction === 'up'
    ? session.query(`insert into ${log} (name) values ($1) returning 1`, [migration.name])
    : // The ORM logs names with their extension in some versions.
      session.query(`delete from ${log} where name = any($1) returning 1`, [
        ['', '.js', '.ts'].map((extension) => migration.name + extension),
      ]));
  if (changed.length === 0)
    throw new Error(`a trigger of ${log} discards its rows, so that the result can't be recorded: drop it`);
  await addToHistory(session, run.tables, {
    name: migration.name,
    direction,
    outcome: 'done',
    // What it sent may depend on what it read.
    checksum: direction === 'up' && !emitted.hasQueried ? digestOf(emitted.statements) : null,
    textDigest: migration.textDigest,
    startedAt,
    note,
    token: run.lease.token,
  });
}
