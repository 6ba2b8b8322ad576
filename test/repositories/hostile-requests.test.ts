import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { nextOf } from './cursor-pages.ts';
import { aWorld, type World } from './world.ts';

const pages = readCases.filter(({ asks }) => asks === 'page');
const scrolls = readCases.filter(({ asks }) => asks === 'scroll');

const limits = [
  0,
  -1,
  201,
  1e9,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  '5',
  '1; drop table synths',
];
const offsets = [-1, 0.5, Number.NaN, 2 ** 53, null, '0', '0; drop table synths'];
const sortKeys = ['', 'created_at', 'constructor', '__proto__', 'id; drop table synths', 0, null, {}];
const sortOrders = ['', 'ASC', 'sideways', 'desc; drop table synths', 1, null];
const cursors = ['', 'x', '%%%', 'bnVsbA', 'W10', 'WyJhIl0', 'e30', 0, {}, ['x']];

describe('a request that can not be served is refused', () => {
  let db: TestDatabase;
  let world: World;
  beforeAll(async () => {
    db = await TestDatabase.create();
    world = await db.transact(async (uow) => aWorld(uow, 2));
  });
  afterAll(() => db.drop());

  const asked = ({ read }: ReadCase, request: object): Promise<unknown> =>
    db.read(async (uow) => read(uow, world, request));
  /** Those of the requests that are not refused as they should be. */
  const served = async (method: ReadCase, requests: readonly object[]): Promise<unknown[]> => {
    const asking = requests.map(async (request) => {
      const outcome = await asked(method, request).catch((error: unknown) => error);
      return outcome instanceof InvalidPageError ? [] : [{ request, outcome }];
    });
    return (await Promise.all(asking)).flat();
  };
  const cursorOf = async (method: ReadCase): Promise<string> => {
    const next = nextOf(await asked(method, { first: 1 }));
    if (next === null) throw new Error(`${method.name} has no second page`);
    return next;
  };

  test.each([...pages, ...scrolls])('$name, by its size', async (method) => {
    const requests = limits.map((limit) => (method.asks === 'page' ? { limit } : { first: limit }));

    expect(await served(method, requests)).toEqual([]);
  });

  test.each(pages)('$name, by its offset', async (method) => {
    const requests = offsets.map((offset) => ({ offset }));

    expect(await served(method, requests)).toEqual([]);
  });

  test.each(pages)('$name, by its order', async (method) => {
    const byKey = sortKeys.map((sortBy) => ({ sortBy }));
    const byOrder = sortOrders.map((sortOrder) => ({ sortOrder }));

    expect(await served(method, [...byKey, ...byOrder])).toEqual([]);
  });

  test.each(pages)('$name, by its total', async (method) => {
    const requests = ['', 'EXACT', 'all', true, 0, null, {}].map((total) => ({ total }));

    expect(await served(method, requests)).toEqual([]);
  });

  test.each(scrolls)('$name, by a cursor that is none', async (method) => {
    const own = await cursorOf(method);
    const parts: string[] = JSON.parse(Buffer.from(own, 'base64url').toString());
    const place = parts.slice(0, -1);
    const seal = parts.slice(-1);
    const forged = [
      place,
      [...place, ''],
      [...place.slice(0, -1), 'another key', ...seal],
      [...place, '', ...seal],
      ['', ...place, ...seal],
      [...place.slice(1), ...seal],
      seal,
      { place, seal },
    ].map((made) => Buffer.from(JSON.stringify(made)).toString('base64url'));
    const requests = [...cursors, ...forged, own.slice(0, -4)].map((after) => ({ after }));

    expect(await served(method, requests)).toEqual([]);
  });

  test.each(scrolls)('$name, by the cursor of another list', async (method) => {
    const own = await cursorOf(method);
    const others = await Promise.all(scrolls.map(cursorOf));
    // Those that promise to go on with each other's give the same.
    const requests = others.filter((cursor) => cursor !== own).map((after) => ({ after }));

    expect(requests.length).toBeGreaterThan(5);
    expect(await served(method, requests)).toEqual([]);
  });
});
