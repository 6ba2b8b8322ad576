import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { deviationsOf } from './deviations.ts';
import { programs } from './program.ts';
import { Run, runProgram } from './run-program.ts';
import { cellsOf, deleteRows, storeRows } from './stored-rows.ts';

// `PROGRAMS=5000 make test only=test/concurrency/programs` runs that many; SEED=… repeats a run.
const wanted = Number(process.env['PROGRAMS'] ?? 200);
const seed = process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) };

const unhandled: unknown[] = [];
const keep = (error: unknown): void => void unhandled.push(error);

let db: TestDatabase;
let database: Database;
beforeAll(async () => {
  process.on('unhandledRejection', keep);
  db = await TestDatabase.create();
  // One for a program, one for a connection that an abort takes along.
  database = await openDatabase({ url: db.url, pool: { max: 2, acquireTimeout: 60_000 } });
  await database.transact(async ({ em }) => {
    // More than a cursor fetches at once.
    for (let i = 0; i < 300; i++) anExperiment(em);
  });
});
afterAll(async () => {
  process.off('unhandledRejection', keep);
  await database.close();
  await db.drop();
});

test('concurrent programs write all acknowledged changes, or nothing and throw an error with the cause', async () => {
  const ends: Record<string, number> = {};
  const property = fc.asyncProperty(programs, async (program) => {
    unhandled.length = 0;
    const stored = await storeRows(database);
    const before = await cellsOf(db, stored);
    const run = new Run(stored);

    const outcome = await runProgram(database, program, run);

    const after = await cellsOf(db, stored);
    const thrown = outcome.error?.thrown;
    const end = outcome.error === null ? 'committed' : thrown instanceof Error ? thrown.name : 'unknown';
    ends[end] = (ends[end] ?? 0) + 1;
    const deviations = deviationsOf({ program, run, outcome, before, after });
    expect({ end, deviations, unhandled }).toEqual({ end, deviations: [], unhandled: [] });
    await deleteRows(db, stored);
  });
  await fc.assert(property, { numRuns: wanted, ...seed });
  console.log(`${wanted} programs: ${JSON.stringify(ends)}`);
}, 3_600_000);
