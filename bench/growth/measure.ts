import type { Database, UnitOfWork } from '../../src/index.ts';
import type { Case } from './cases.ts';

/** The best times of a case at two sizes, in milliseconds, and their ratio. */
export interface Growth {
  readonly method: string;
  readonly of: string;
  readonly times: readonly number[];
  readonly ratio: number;
}

/** Times a case in alternating rounds, so that a change of the machine's speed affects both sizes. */
export async function measure(
  { method, of, call, locks }: Case,
  databases: readonly Database[],
  sizes: readonly number[],
  rounds: number,
): Promise<Growth> {
  const times = sizes.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [index, database] of databases.entries()) {
      const start = performance.now();
      await run(database, locks, (uow) => call(uow, sizes[index] ?? 1));
      const time = performance.now() - start;
      // The first calls compile the statement and read cold pages.
      if (round > 1 || rounds < 3) times[index] = Math.min(times[index] ?? time, time);
    }
  }
  const [before = 1, after = 1] = times;
  return { method, of, times, ratio: after / before };
}

/** Runs a case on a database, in a transaction if it locks. */
export function run(
  database: Database,
  locks: boolean,
  call: (uow: UnitOfWork) => Promise<unknown>,
): Promise<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- such a case calls methods that only read
  return locks ? database.transact(call) : database.read((uow) => call(uow as UnitOfWork));
}
