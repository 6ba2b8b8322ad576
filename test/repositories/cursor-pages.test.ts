import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { wasteOf, type Sent } from './plan.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { keysOf, nextOf } from './cursor-pages.ts';
import { aWorld, type World } from './world.ts';

const scrolls = readCases.filter(({ asks }) => asks === 'scroll');

describe('a list that is read by cursor', () => {
  let db: TestDatabase;
  let world: World;
  // Before the pool makes its clients, which hold on to what they begin with.
  const query = vi.spyOn(Client.prototype, 'query');
  beforeAll(async () => {
    db = await TestDatabase.create();
    world = await db.transact(async (uow) => aWorld(uow, 7));
  });
  afterAll(async () => {
    query.mockRestore();
    await db.drop();
  });

  const asked = ({ read }: ReadCase, request: object): Promise<unknown> =>
    db.read(async (uow) => read(uow, world, request));
  const sent = async (method: ReadCase, request: object): Promise<Sent> => {
    query.mockClear();
    await asked(method, request);
    const [only, ...more] = query.mock.calls;
    expect(more).toEqual([]);
    return { text: String(only?.[0]), values: [only?.[1]].flat() };
  };

  test.each(scrolls)('$name gives each row once, in the order that it has as a whole', async (method) => {
    const whole = keysOf(await asked(method, {}));
    const pages: (readonly string[])[] = [];
    for (let after: string | null | undefined; after !== null;) {
      // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before ended
      const page = await asked(method, { after, first: 3 });
      pages.push(keysOf(page));
      after = nextOf(page);
    }

    expect(whole).toHaveLength(world.size);
    expect(pages.flat()).toEqual(whole);
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
  });

  test.each(scrolls)('$name reads no more than it gives, however far in', async (method) => {
    const after = nextOf(await asked(method, { first: 3 }));
    const first = await wasteOf(db.url, await sent(method, { first: 3 }));
    const second = await wasteOf(db.url, await sent(method, { after, first: 3 }));

    expect(first, 'add an index on the default sort column and the key, both in its direction').toEqual({
      sorts: false,
      skips: [],
    });
    expect(second).toEqual({ sorts: false, skips: [] });
  });
});
