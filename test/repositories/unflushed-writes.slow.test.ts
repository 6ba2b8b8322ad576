import { Utils, type EntityManager } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { aResearchExecution, anAnalysisRun, anExploration, TestDatabase } from '../../src/testing/index.ts';
import { readRows } from '../schema/contents.ts';
import { aWorld } from './world.ts';
import { writeCases, type WriteCase } from './write-cases.ts';

// A statement that writes goes past the rows that are loaded: it must see what they hold and they must show what it wrote.

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());

test.each(writeCases)(
  '$name does to rows that are staged what it does to written ones',
  async ({ write }) => {
    expect(await doneBy(write)).toEqual(await doneBy(write, (uow) => uow.flush()));
  },
);

test.each(writeCases)('$name shows in rows that are loaded', async ({ write }) => {
  await db.rollback(async (uow) => {
    const world = aWorld(uow, 2);
    await uow.flush();
    await readAgain(uow.em);

    await write(uow, world);

    await uow.flush();
    const shown = rowsIn(uow.em);
    await readAgain(uow.em);
    expect(shown).toEqual(rowsIn(uow.em));
  });
});

test("an exploration's counters go up from what was set, and show in what is loaded", () =>
  db.rollback(async ({ explorations, em }) => {
    const exploration = anExploration(em);
    await em.flush();

    exploration.totalLlmCalls = 5;
    expect(await explorations.recordLlmCalls(exploration.id, 4)).toBe(9);
    expect(exploration).toMatchObject({ totalLlmCalls: 9, rowVersion: 3 });

    Object.assign(exploration, { totalNodes: 7, currentDepth: 3, bestSuccessRate: 0.5 });
    await explorations.recordProgress(exploration.id, { nodes: 2, depth: 2, successRate: 0.75 });
    const progress = { totalNodes: 9, currentDepth: 3, bestSuccessRate: 0.75 };
    expect(exploration).toMatchObject({ ...progress, totalLlmCalls: 9, rowVersion: 5 });
    expect(await explorations.getSummary(exploration.id)).toMatchObject(progress);
  }));

test("an execution's counters go up from what was set, and show in what is loaded", () =>
  db.rollback(async ({ researchExecutions, em }) => {
    const execution = aResearchExecution(em);
    await em.flush();

    Object.assign(execution, { successfulCount: 5, failedCount: 1, model: 'another' });
    await researchExecutions.recordInterviews(execution.id, { successful: 2, failed: 1 });

    const counted = { successfulCount: 7, failedCount: 2, model: 'another' };
    expect(execution).toMatchObject(counted);
    expect(await researchExecutions.getDetail(execution.id)).toMatchObject(counted);
  }));

/** The columns of the rows that are loaded, as they are in memory. */
function rowsIn(em: EntityManager): unknown[] {
  const comparator = em.getComparator();
  return [...em.getUnitOfWork().getIdentityMap().values()].map((row) => comparator.prepareEntity(row));
}

/** Brings the rows that are loaded up to date. Fails on one that is no more: it ought to have been forgotten. */
async function readAgain(em: EntityManager): Promise<void> {
  for (const row of em.getUnitOfWork().getIdentityMap().values()) await em.refreshOrFail(row);
}

/** What a method gives and how many rows there are then in each table, called on a world that is staged and `prepared`. */
async function doneBy(
  write: WriteCase['write'],
  prepared: (uow: UnitOfWork) => Promise<void> = async () => {},
): Promise<unknown> {
  let done: unknown;
  await db.rollback(async (uow) => {
    const world = aWorld(uow, 2);
    anAnalysisRun(uow.em);
    await prepared(uow);
    const given = await write(uow, world);
    await uow.flush();
    const rows = Object.entries(await readRows(uow.em));
    done = { given: comparable(given), rows: rows.map(([table, { length }]) => [table, length]) };
  });
  return done;
}

/** What of a result is the same in two worlds: keys and rows differ. */
function comparable(given: unknown): unknown {
  if (typeof given === 'string') return 'a key';
  if (typeof given === 'object' && given !== null && 'token' in given) return 'a generation';
  return Utils.isEntity(given) || Array.isArray(given) ? 'rows' : given;
}
