import { digestOf } from '../files/code-migration.ts';
import { inTransaction, type Session } from '../session/session.ts';
import type { Checkpoint } from './run-backfill.ts';
import type { Target } from '../leftovers/statement-target.ts';
import type { Run } from './context/run.ts';
import type { Step } from './context/step.ts';

/** Records a statement of a step that runs statement by statement. */
export async function recordProgress(
  session: Session,
  run: Run,
  step: Step,
  {
    sql,
    index,
    done,
    place = null,
  }: {
    readonly sql: string;
    readonly index: number;
    readonly done: boolean;
    readonly place?: Checkpoint | Target | null;
  },
): Promise<void> {
  await session.query(
    `insert into ${run.tables.progress} (chain, name, direction, statement, checksum, done, place) values ($7, $1, $2, $3, $4, $5, $6)
     on conflict (chain, name, direction, statement) do update set done = excluded.done, checksum = excluded.checksum, place = excluded.place, at = clock_timestamp()`,
    [
      step.migration.name,
      step.direction,
      index,
      digestOf([sql]),
      done,
      place ? JSON.stringify(place) : null,
      run.tables.chain,
    ],
  );
}

/** Deletes the record of a statement that had no effect, by the answer of the server. */
export async function forgetProgress(run: Run, { migration, direction }: Step, index: number): Promise<void> {
  await inTransaction(run.orm, async (session) => {
    await run.lease.guard(session);
    await session.query(
      `delete from ${run.tables.progress} where name = $1 and direction = $2 and statement = $3 and chain in ('', $4)`,
      [migration.name, direction, index, run.tables.chain],
    );
  });
}
