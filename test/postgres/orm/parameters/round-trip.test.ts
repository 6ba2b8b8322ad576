import { MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ormOptions } from '../../../../src/postgres/orm/orm-options.ts';
import { TestDatabase } from '../../../../src/testing/index.ts';
import { createKinds, Kinds } from './kinds.ts';

let db: TestDatabase;
let orm: MikroORM;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(createKinds);
  orm = new MikroORM({ ...ormOptions(db.target), entities: [Kinds] });
});
afterAll(async () => {
  await orm.close(true);
  await db.drop();
});
beforeEach(async () => {
  await db.orm.em.execute('delete from kinds');
});

const text = fc.oneof(
  fc.constantFrom(
    "it's",
    '\\',
    String.raw`\'; --`,
    '?',
    '??',
    String.raw`\?`,
    '$1',
    '$$',
    '/*',
    '\u2028',
    '😀',
    '',
  ),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((one) => !one.includes('\0')),
);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { freq: 4 });
const document = fc
  .dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text)), {
    maxKeys: 3,
  })
  .map((one) => ({ ...one }));

/** Values of a row, in a form that is equal after reading. */
const values = fc.record({
  text: maybe(text),
  short: maybe(text),
  mood: maybe(fc.constantFrom('sad' as const, "it's ok" as const)),
  count: maybe(fc.integer()),
  big: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  // The ORM writes -0 as 0.
  share: maybe(fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one || 0)),
  price: maybe(fc.integer({ min: -1e9, max: 1e9 }).map((one) => (one / 10_000).toFixed(4))),
  isOn: maybe(fc.boolean()),
  bytes: maybe(fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes))),
  document: maybe(document),
  at: maybe(
    fc.date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31') }),
  ),
  day: maybe(fc.constantFrom('2026-02-28', '0001-01-01', '9999-12-31')),
  // The ORM does not quote spaces and NULL in an array.
  tags: maybe(
    fc.array(
      text.filter((one) => !/\s|^null$/i.test(one)),
      { maxLength: 3 },
    ),
  ),
  key: maybe(fc.uuid()),
});
type Values = typeof values extends fc.Arbitrary<infer T> ? T : never;

const writes: Record<string, (em: EntityManager, id: string, row: Values) => Promise<unknown>> = {
  'a flush that inserts': async (em, id, row) => {
    em.create(Kinds, { id, ...row }, { persist: true });
    await em.flush();
  },
  'a flush that inserts several': async (em, id, row) => {
    for (const one of [id, `${id} 2`, `${id} 3`]) em.create(Kinds, { id: one, ...row }, { persist: true });
    await em.flush();
  },
  insert: (em, id, row) => em.insert(Kinds, { id, ...row }),
  insertMany: (em, id, row) => em.insertMany(Kinds, [{ id, ...row }, { id: `${id} 2` }]),
  upsert: (em, id, row) => em.upsert(Kinds, { id, ...row }),
  'upsert of a row that exists': async (em, id, row) => {
    await em.insert(Kinds, { id, text: 'before' });
    await em.upsert(Kinds, { id, ...row });
  },
  upsertMany: (em, id, row) => em.upsertMany(Kinds, [{ id, ...row }]),
  nativeUpdate: async (em, id, row) => {
    await em.insert(Kinds, { id, text: 'before' });
    await em.nativeUpdate(Kinds, { id }, row);
  },
  'a flush that updates': async (em, id, row) => {
    await em.insert(Kinds, { id, text: 'before' });
    em.assign(await em.findOneOrFail(Kinds, id), row);
    await em.flush();
  },
  'a flush that updates several': async (em, id, row) => {
    for (const one of [id, `${id} 2`]) await em.insert(Kinds, { id: one, text: 'before' });
    for (const found of await em.find(Kinds, { id: { $in: [id, `${id} 2`] } })) em.assign(found, row);
    await em.flush();
  },
};

const inherited = new RegExp(`"(?:${Object.getOwnPropertyNames(Object.prototype).join('|')})":`);

describe('what is written is what is read', () => {
  test.each(Object.entries(writes))('by %s', async (_name, write) => {
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(text, values, async (prefix, row) => {
        const id = `${prefix} ${++rows}`;
        await orm.em.fork().transactional((em) => write(em, id, row));

        const em = orm.em.fork();
        const found = await em.findOneOrFail(Kinds, id);
        expect(found).toMatchObject(row);
        expect(await em.count(Kinds, { id })).toBe(1);
      }),
      { numRuns: 40 },
    );
  });

  test('and is found and removed by each of its values', async () => {
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(values, async (row) => {
        const id = `row ${++rows}`;
        const em = orm.em.fork();
        await em.insert(Kinds, { id, ...row });
        const { document: given, tags, ...columns } = row;
        const conditions: Record<string, unknown>[] = Object.entries(columns).flatMap(([name, value]) => [
          { [name]: value },
          ...(value === null ? [] : [{ [name]: { $in: [value, value] } }]),
        ]);
        // In a condition, the ORM itself takes such a member for what objects inherit.
        if (given !== null && !inherited.test(JSON.stringify(given)))
          conditions.push({ document: { $contains: given } });
        if (tags !== null && tags.length > 0) conditions.push({ tags: { $overlap: tags } });
        for (const where of conditions)
          expect({ where, found: await em.count(Kinds, { id, ...where }) }).toEqual({ where, found: 1 });
        expect(await em.nativeDelete(Kinds, { id, ...columns })).toBe(1);
      }),
      { numRuns: 40 },
    );
  });
});
