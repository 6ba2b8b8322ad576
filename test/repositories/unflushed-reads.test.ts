import { isDeepStrictEqual } from 'node:util';
import { Utils, wrap } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NotFoundError, TooFewRowsError } from '../../src/errors.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { changesFor } from './changes.ts';
import { readCases } from './read-cases.ts';
import { withoutStatement } from './reads.ts';
import { aWorld } from './world.ts';

// What a unit of work changed but has not written yet shows in all that it reads, as if it had been.

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());

const cases = readCases.filter(({ name }) => !withoutStatement.includes(name));

test.each(cases)('$name shows rows that are staged', async ({ read }) => {
  await db.rollback(async (uow) => {
    const world = aWorld(uow, 2);

    const given = await giving(() => read(uow, world));

    await uow.flush();
    expect(given).not.toBeNull();
    expect(given).toEqual(await giving(() => read(uow, world)));
  });
});

// By its key a row is found whatever was changed of it.
const byMore = cases.filter(({ name }) => !/\.(?:find|get)$/.test(name));

test.each(byMore)('$name shows what was changed', async ({ method, read }) => {
  await db.rollback(async (uow) => {
    const world = aWorld(uow, 2);
    await uow.flush();
    const before = await giving(() => read(uow, world));

    for (const change of changesFor(method)) change(uow.em);
    let given = await giving(() => read(uow, world));
    // What counts rows, or tells whether there are any, gives something else when they are removed.
    if (isDeepStrictEqual(given, before)) {
      for (const row of world.rowsOf(method.entity)) uow.em.remove(row);
      given = await giving(() => read(uow, world));
    }

    await uow.flush();
    expect(given).not.toEqual(before);
    expect(given).toEqual(await giving(() => read(uow, world)));
  });
});

/** What is given: of a row to be changed its key, and null where there is nothing, or not enough. */
async function giving(read: () => unknown): Promise<unknown> {
  try {
    const given = await read();
    return Utils.isEntity(given) ? wrap(given, true).getSerializedPrimaryKey() : given;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof TooFewRowsError) return null;
    throw error;
  }
}
