import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContentionError, type Database } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { openWithPool } from '../concurrently.ts';
import { changeable } from './factories.ts';
import { histories, isExplained } from './history.ts';
import { runHistory, statesOf, storeRows } from './run-history.ts';

// `HISTORIES=3000 make test only=test/concurrency/histories` runs that many.
const wanted = Number(process.env.HISTORIES ?? 170);

let db: TestDatabase;
let database: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  // Statements of several units may deadlock, which PostgreSQL detects after a second.
  const { database: name } = db.target.parts;
  await db.orm.em.execute(`alter database "${name}" set deadlock_timeout = '20ms'`);
  database = await openWithPool(db, 6);
});
afterAll(async () => {
  await database.close();
  await db.drop();
});

test.each(changeable)(
  'no update of %s is lost, and the losing writer is refused',
  async (_, factory) => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const beside = changeable[history.beside % changeable.length];
        const rows = await storeRows(database, [factory, beside?.[1] ?? factory]);

        const errors = await runHistory(database, history, rows);

        const succeeded = [...errors.keys()].filter((unit) => errors[unit] === null);
        const others = errors.filter((error) => error !== null && !(error instanceof ContentionError));
        expect(others).toEqual([]);
        const after = await statesOf(database, rows);
        // The result of the units that reported success, in some order.
        expect({ after, succeeded, isExplained: isExplained(history, rows, succeeded, after) }).toMatchObject(
          {
            isExplained: true,
          },
        );
      }),
      { numRuns: Math.ceil(wanted / changeable.length) },
    );
  },
  600_000,
);
