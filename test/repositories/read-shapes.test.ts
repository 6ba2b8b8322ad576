import { Utils } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { NotFoundError } from '../../src/errors.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { Experiment } from '../../src/entities.ts';
import { documents } from '../entities/documents.ts';
import type { AnyReadModel } from '../../src/repositories/read-model/read-model.ts';
import { derivedKind, recording } from './derived-kinds.ts';
import { misshapen, strangeFields } from './derived-shapes.ts';
import { sightingsIn, sightingsOf, type AnyKind } from './kinds.ts';
import { emptyOptionalColumns, fillOptionalColumns } from './optional-columns.ts';
import { insight } from './payloads.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { computed, readShapes } from './read-shapes.ts';
import { parametersOf } from './sample.ts';
import { aWorld, type World } from './world.ts';

/** What a method never gives, whatever there is, though its type allows for it. */
const neverSeen: Readonly<Record<string, readonly string[]>> = {
  'researchExecutions.findAutoInterviewSummary': ['.experimentId: null'],
  'scenarioNodes.findBestSummary': ['.simulationResults: null'],
  'scenarioNodes.listChildren': ['[].parentId: null'],
  'synthGroups.findDetail': ['.synths.data[].synthGroupId: null'],
};

/** How else a method is called, where it gives less of one world than it can give. */
const calledElse: Readonly<Record<string, ReadCase['read']>> = {
  'scenarioNodes.getSummary': ({ scenarioNodes }, { aside }) => scenarioNodes.getSummary(aside.root),
  'synthGroups.findDetail': async ({ synthGroups }, { group }) => {
    const whole = await synthGroups.findDetail(group, { first: 200 });
    return synthGroups.findDetail(group, { after: whole?.synths.pagination.endCursor });
  },
};

/** The ways to call a method: for a list also without any condition, and from the end of a cursor page on. */
function waysOf({ name, read, asks, repository, method }: ReadCase): readonly ReadCase['read'][] {
  const ways = [read];
  const otherwise = calledElse[name];
  if (otherwise) ways.push(otherwise);
  if (asks && parametersOf(method.signature).length === 1) {
    ways.push((uow) => Reflect.apply(Reflect.get(uow[repository], method.method), uow[repository], []));
  }
  if (asks === 'scroll') {
    ways.push(async (uow, world) => {
      const page: unknown = await read(uow, world, { first: 200 });
      return read(uow, world, {
        after: Reflect.get(Object(Reflect.get(Object(page), 'pagination')), 'endCursor'),
      });
    });
  }
  return ways;
}

const shapes = new Map<string, AnyKind>(
  Object.entries(readShapes).flatMap(([repository, methods]) =>
    Object.entries(methods).map(([method, kind]) => [`${repository}.${method}`, kind] as const),
  ),
);

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

test.each(readCases)('$name returns what its type declares', async (one) => {
  const { name, method } = one;
  const models = new Set<AnyReadModel>();
  const worlds = [full, { ...full, limit: 1 }, bare, none];
  const results = await recording(models, () =>
    Promise.all(worlds.flatMap((world) => waysOf(one).map((read) => given(read, world)))),
  );
  const kind = shapes.get(name) ?? derivedKind(method.method, models, computed);
  // All that there is and nothing else: whatever may be null was null once, and once it was not.
  const [seen, expected] =
    kind === undefined
      ? [problemsOf(one, results.flat()), []]
      : [results.flat().flatMap((result) => sightingsIn(kind, result)), sightingsOf(kind)];

  expect([...new Set(seen)].toSorted()).toEqual(
    [...new Set(expected)].filter((sighting) => !neverSeen[name]?.includes(sighting)).toSorted(),
  );
});

/** What is wrong with results of which no kind is known: they are entities, or rows with values that their columns can hold. */
function problemsOf({ name, asks, method: { entity } }: ReadCase, results: readonly unknown[]): string[] {
  const rows = results.filter((result) => result != null && !Utils.isEntity(result));
  const declareIt = `declare what ${name} gives in test/repositories/read-shapes.ts`;
  return [
    ...rows.flatMap((row) => misshapen(entity, row)),
    ...rows.flatMap((row) => strangeFields(entity, row)).map((field) => `${field}: ${declareIt}`),
    ...(asks ? [`a list: ${declareIt}`] : []),
  ];
}

test('a field that is no column is named', () => {
  expect(strangeFields(Experiment, [{ id: 'exp_1', score: 1 }])).toEqual(['score']);
});

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
