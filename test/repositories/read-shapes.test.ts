import { Utils } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { NotFoundError } from '../../src/errors.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { Experiment } from '../../src/entities.ts';
import { documents } from '../entities/documents.ts';
import { misshapen } from './derived-shapes.ts';
import { sightingsIn, sightingsOf, type AnyKind } from './kinds.ts';
import { emptyOptionalColumns, fillOptionalColumns } from './optional-columns.ts';
import { insight } from './payloads.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { readShapes } from './read-shapes.ts';
import { aWorld, type World } from './world.ts';

/** What a method never gives, whatever there is, though its type allows for it. */
const neverSeen: Readonly<Record<string, readonly string[]>> = {
  'researchExecutions.findAutoInterviewSummary': ['.experimentId: null'],
  'scenarioNodes.findBestSummary': ['.simulationResults: null'],
  'scenarioNodes.listChildren': ['[].parentId: null'],
  'synthGroups.findDetail': ['.synths.data[].synthGroupId: null'],
};

/** How else a method is called, where it gives less of one experiment or one group than it can give, or where a list is never empty. */
const calledElse: Readonly<Record<string, ReadCase['read']>> = {
  'experiments.scrollSummaries': async ({ experiments }) =>
    experiments.scrollSummaries({
      after: (await experiments.scrollSummaries({ first: 200 })).pagination.endCursor,
    }),
  'featureScorecards.scroll': ({ featureScorecards }) => featureScorecards.scroll(),
  'featureScorecards.page': ({ featureScorecards }) => featureScorecards.page(),
  'researchExecutions.scrollSummaries': ({ researchExecutions }) => researchExecutions.scrollSummaries(),
  'researchExecutions.pageSummaries': ({ researchExecutions }) => researchExecutions.pageSummaries(),
  'scenarioNodes.getSummary': ({ scenarioNodes }, { aside }) => scenarioNodes.getSummary(aside.root),
  'synthGroups.findDetail': async ({ synthGroups }, { group }) => {
    const whole = await synthGroups.findDetail(group, { first: 200 });
    return synthGroups.findDetail(group, { after: whole?.synths.pagination.endCursor });
  },
  'synthGroups.scrollSummaries': async ({ synthGroups }) =>
    synthGroups.scrollSummaries({
      after: (await synthGroups.scrollSummaries({ first: 200 })).pagination.endCursor,
    }),
  'synths.scrollDetails': ({ synths }) => synths.scrollDetails(),
  'synths.scrollSummaries': ({ synths }) => synths.scrollSummaries(),
  'synths.pageSummaries': ({ synths }) => synths.pageSummaries(),
  'transcripts.scrollSummaries': async ({ transcripts }, { execution }) => {
    const { endCursor } = (await transcripts.scrollSummaries(execution, { first: 200 })).pagination;
    return transcripts.scrollSummaries(execution, { after: endCursor });
  },
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

const undeclared = readCases.filter(({ name }) => !shapes.has(name));

test.each(undeclared)(
  '$name gives entities, or rows with values that their columns can hold',
  async ({ method, read }) => {
    const results = await Promise.all([full, bare].map((world) => given(read, world)));

    const plain = results.flat().filter((result) => !Utils.isEntity(result));

    expect(plain.flatMap((result) => misshapen(method.entity, result))).toEqual([]);
    expect(
      plain.length > 0 && method.repository in readShapes,
      'declare its shape in test/repositories/read-shapes.ts',
    ).toBe(false);
  },
);

test('a field that holds no value of its column is named', () => {
  const rows = {
    data: [{ id: 1, createdAt: '2026-01-01', status: 'odd', name: null, other: {} }],
    pagination: {},
  };

  expect(misshapen(Experiment, rows)).toEqual([
    'id: 1',
    'createdAt: 2026-01-01',
    'status: odd',
    'name: null',
  ]);
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
