import { Utils } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { NotFoundError } from '../../src/errors.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { documents } from '../entities/documents.ts';
import { sightingsIn, sightingsOf, type AnyKind } from './kinds.ts';
import { emptyOptionalColumns, fillOptionalColumns } from './optional-columns.ts';
import { insight } from './payloads.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { readShapes } from './read-shapes.ts';
import { aWorld, type World } from './world.ts';

/** What a method never gives, whatever there is, though its type allows for it. */
const neverSeen: Readonly<Record<string, readonly string[]>> = {
  'researchExecutions.findAutoInterview': ['.experimentId: null'],
  'scenarioNodes.findBest': ['.simulationResults: null'],
  'scenarioNodes.listChildren': ['[].parentId: null'],
  'synthGroups.findDetail': ['.synths.data[].synthGroupId: null'],
};

/** How else a method is called, where it gives less of one experiment or one group than it can give. */
const calledElse: Readonly<Record<string, ReadCase['read']>> = {
  'featureScorecards.list': ({ featureScorecards }) => featureScorecards.list(),
  'featureScorecards.page': ({ featureScorecards }) => featureScorecards.page(),
  'researchExecutions.listSummaries': ({ researchExecutions }) => researchExecutions.listSummaries(),
  'researchExecutions.pageSummaries': ({ researchExecutions }) => researchExecutions.pageSummaries(),
  'scenarioNodes.getSummary': ({ scenarioNodes }, { aside }) => scenarioNodes.getSummary(aside.root),
  'synths.listDetails': ({ synths }) => synths.listDetails(),
  'synths.listSummaries': ({ synths }) => synths.listSummaries(),
  'synths.pageSummaries': ({ synths }) => synths.pageSummaries(),
  'synths.search': ({ synths }) => synths.search(),
  'synths.searchSummaries': ({ synths }) => synths.searchSummaries(),
};

const shapes = new Map<string, AnyKind>(
  Object.entries(readShapes).flatMap(([repository, methods]) =>
    Object.entries(methods).map(([method, kind]) => [`${repository}.${method}`, kind] as const),
  ),
);
const cases = readCases.flatMap(({ name, read }) => {
  const kind = shapes.get(name);
  if (kind === undefined) return [];
  const otherwise = calledElse[name];
  return [{ name, kind, ways: otherwise ? [read, otherwise] : [read] }];
});

let db: TestDatabase;
let full: World;
let bare: World;
let none: World;
beforeAll(async () => {
  db = await TestDatabase.create();
  full = await db.transact(async (uow) => {
    const world = aWorld(uow, 2);
    fillOptionalColumns(uow.em);
    // Better than the root, which is not below anything.
    const leaf = await uow.scenarioNodes.get(world.leaf);
    leaf.simulationResults = { success_rate: 0.6, fail_rate: 0.2, did_not_try_rate: 0.2 };
    await uow.chartInsights.saveInsight(world.run, 'chart 0', insight());
    return world;
  });
  bare = await db.transact(async (uow) => {
    const world = aWorld(uow, 2);
    emptyOptionalColumns(uow.em);
    const root = await uow.scenarioNodes.findRoot(world.exploration);
    if (root) root.simulationResults = documents.SimulationResults;
    await uow.flush();
    // Past the repository, which stores only what has the shape that the key stands for.
    await uow.em.execute(`update analysis_cache set data = '{}' where analysis_id = ? and cache_key = ?`, [
      world.run,
      'insight_1',
    ]);
    return world;
  });
  // Never written, it has keys of nothing.
  none = aWorld(new UnitOfWork(db.orm.em.fork()), 2);
});
afterAll(() => db.drop());

test.each(cases)('$name gives what its type tells', async ({ name, ways, kind }) => {
  const worlds = [full, { ...full, limit: 1 }, bare, none];
  const results = await Promise.all(worlds.flatMap((world) => ways.map((read) => given(read, world))));
  const seen = new Set(results.flat().flatMap((result) => sightingsIn(kind, result)));

  // All that there is and nothing else: whatever may be null was null once, and once it was not.
  const expected = sightingsOf(kind).filter((sighting) => !neverSeen[name]?.includes(sighting));
  expect([...seen].toSorted()).toEqual([...new Set(expected)].toSorted());
});

test('whatever gives anything but a row to be changed is among them', async () => {
  const missing = await db.read(async (uow) => {
    const others = readCases.filter(({ name }) => !shapes.has(name));
    const results = await Promise.all(
      others.map(async ({ name, read }) => [name, await read(uow, full)] as const),
    );
    return results.filter(([, result]) => !Utils.isEntity(result)).map(([name]) => name);
  });

  expect(missing).toEqual([]);
});

/** What a method gives; nothing where it says that there is nothing to give. */
async function given(read: ReadCase['read'], world: World): Promise<unknown[]> {
  try {
    return [await db.read(async (uow) => read(uow, world))];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
