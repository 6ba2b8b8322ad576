import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExperimentDocument } from '../../src/entities.ts';
import { findByKey } from '../../src/repositories/find-by-key.ts';
import { DataError, InvalidValueError, type UnitOfWork } from '../../src/index.ts';
import { ShapedJson } from '../../src/json/shaped-json.ts';
import { TestDatabase, anExperimentDocument } from '../../src/testing/index.ts';
import { insertBareRows } from '../schema/rows.ts';
import { columnsOf, writePaths, type Column, type WritePath } from './write-paths.ts';

let db: TestDatabase;
let documents: Column[];
let texts: Column[];
beforeAll(async () => {
  db = await TestDatabase.create();
  await insertBareRows(db.orm.em.fork());
  const metadata = [...db.orm.getMetadata().getAll().values()];
  documents = columnsOf(metadata, ({ customType }) => customType instanceof ShapedJson);
  texts = columnsOf(metadata, (prop) => prop.columnTypes[0] === 'text' && !prop.enum);
});
afterAll(() => db.drop());

const half = '👍'.repeat(60).slice(0, 99);

/** How the path refuses the value; the unit of work can go on, since nothing was sent. */
async function refusal(uow: UnitOfWork, path: WritePath, column: Column, value: unknown): Promise<DataError> {
  const refused: unknown = await uow
    .transact(async (inner) => path(inner, column, value))
    .then(
      () => new Error(`${column.meta.tableName}.${column.name} takes it`),
      (error: unknown) => error,
    );
  uow.em.clear();
  if (!(refused instanceof DataError)) throw refused;
  return refused;
}

describe('a document that holds what JSON has not', () => {
  test.each(Object.entries(writePaths))('is refused in every column by %s', (_, path) =>
    db.rollback(async (uow) => {
      for (const column of documents) {
        const error = await refusal(uow, path, column, { odd: [Number.NaN] });
        expect(error.message).toMatch(/odd\.0.*NaN|NaN at odd\.0/);
        expect(error.code).toMatch(/invalid_json|invalid_row/);
      }
    }),
  );

  test.each<[string, () => unknown, string, string]>([
    ['an infinity', () => ({ a: [Number.NEGATIVE_INFINITY] }), 'a.0', '-Infinity'],
    ['an invalid date', () => ({ a: { b: new Date(Number.NaN) } }), 'a.b', 'an invalid date'],
    ['a bigint', () => ({ a: [{ b: 1n }] }), 'a.0.b', 'a bigint'],
    ['undefined in an array', () => ({ a: [undefined] }), 'a.0', 'undefined'],
    // oxlint-disable-next-line no-sparse-arrays -- such as `Array(2)` makes
    ['a hole in an array', () => ({ a: [, 1] }), 'a.0', 'undefined'],
    ['a function in an array', () => ({ a: [() => 1] }), 'a.0', 'a function'],
    ['a symbol in an array', () => ({ a: [Symbol('s')] }), 'a.0', 'a symbol'],
    ['a map', () => ({ a: new Map([[1, 2]]) }), 'a', 'a value of type Map'],
    ['a set', () => ({ a: [new Set([1])] }), 'a.0', 'a value of type Set'],
    ['an error', () => ({ a: new Error('e') }), 'a', 'a value of type Error'],
    ['a regular expression', () => ({ a: /x/ }), 'a', 'a value of type RegExp'],
    ['binary data', () => ({ a: new Uint8Array(2) }), 'a', 'binary data'],
    ['NaN of a toJSON', () => ({ a: { toJSON: () => Number.NaN } }), 'a', 'NaN'],
    ['half of a surrogate pair', () => ({ a: ['x', half] }), 'a.1', 'half of a surrogate pair'],
    [
      'half of a surrogate pair in a key',
      () => ({ a: { [half]: 1 } }),
      'a',
      'half of a surrogate pair in a key',
    ],
    ['U+0000', () => ({ a: 'x\0' }), 'a', 'U+0000'],
    ['U+0000 in a key', () => ({ 'x\0': 1 }), '', 'U+0000 in a key'],
    ['itself', () => circle(), 'me', 'a reference to itself'],
    ['5,000 levels', () => deep(5_000), 'a.a', 'more than 1000 levels'],
    ['1,001 levels', () => deep(1_001), 'a.a', 'more than 1000 levels'],
    ['20,000 levels of arrays', () => [deep(20_000)], '0.a', 'more than 1000 levels'],
  ])('is refused with the place of %s, by every path', (_, make, place, what) =>
    db.rollback(async (uow) => {
      const column = named(documents, 'synth_attributes');
      const taken = Object.entries(writePaths).filter(([name]) => !passedBy(name, what, make()));
      for (const [name, path] of taken) {
        const { message } = await refusal(uow, path, column, make());
        expect([name, message.includes(what), message.includes(place)]).toEqual([name, true, true]);
      }
    }),
  );
});

test('a document that is no JSON any more is refused where it is stored as null already, and in an entity that is inserted', () =>
  db.rollback(async (uow) => {
    const [row] = await uow.em.find(ExperimentDocument, {});
    Object.assign(row ?? {}, { metadata: { a: null } });
    await uow.flush();
    Object.assign(row?.metadata ?? {}, { a: Number.NaN });
    await expect(uow.flush()).rejects.toMatchObject({ issues: [{ path: ['a'] }] });

    uow.em.clear();
    const inserted = uow.transact(({ em }) =>
      em.insert(anExperimentDocument(em.fork(), { metadata: { a: [Number.NaN] } })),
    );
    await expect(inserted).rejects.toBeInstanceOf(InvalidValueError);
  }));

describe('a document at the edge of what JSON has', () => {
  test.each<[string, unknown, unknown]>([
    ['1,000 levels', deep(1_000), deep(1_000)],
    ['undefined properties, which are left out', { a: undefined, b: [{ c: undefined }] }, { b: [{}] }],
    ['functions as properties, which are left out', { a: () => 1, b: null }, { b: null }],
    ['dates', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['escapes', { '\\u0000': '\\ud83d "\u0001"' }, { '\\u0000': '\\ud83d "\u0001"' }],
    ['pairs', { '👍': '👍' }, { '👍': '👍' }],
    ['null and empty', { a: null, b: {}, c: [] }, { a: null, b: {}, c: [] }],
    ['negative zero, which jsonb has not', { a: -0 }, { a: 0 }],
  ])('may hold %s', (_, document, stored) =>
    db.rollback(async ({ em }) => {
      const column = named(documents, 'metadata');
      const [row = {}] = await em.find(column.meta.class, {});
      Reflect.set(row, column.prop.name, document);
      await em.flush();

      const [found] = await em.execute<{ metadata: unknown }[]>('select metadata from experiment_documents');

      expect(found?.metadata).toEqual(stored);
    }),
  );
});

describe('a text that PostgreSQL does not store as it is', () => {
  test.each(Object.entries(writePaths))('is refused in every column by %s', (name, path) =>
    db.rollback(async (uow) => {
      for (const column of texts) {
        if (column.prop.primary && /changed|upsert|loadRows/.test(name)) continue;
        const error = await refusal(uow, path, column, half);
        expect(error.code).toMatch(/invalid_value|invalid_row/);
        expect(error.message).toContain('half of a surrogate pair');
        expect(!name.includes('flush') || error.message.includes(`column "${column.name}"`)).toBe(true);
      }
    }),
  );

  test('is refused for U+0000 by every path', () =>
    db.rollback(async (uow) => {
      const column = named(texts, 'hypothesis');
      for (const path of Object.values(writePaths))
        expect(await refusal(uow, path, column, 'x\0')).toMatchObject({
          code: expect.stringMatching(/invalid_value|invalid_row/),
        });
    }));

  test('is refused as a key that is looked up', () =>
    db.rollback(async (uow) => {
      for (const { class: entity, primaryKeys } of db.orm.getMetadata().getAll().values()) {
        const key: unknown = primaryKeys.length === 1 ? half : primaryKeys.map(() => half);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever the entity's key is, it is made of texts
        const found = uow.transact(({ em }) => findByKey(em, entity, key as never));
        await expect(found).rejects.toBeInstanceOf(InvalidValueError);
      }
    }));

  test('is refused as it is by the methods of repositories', () =>
    db.rollback(async (uow) => {
      await expect(uow.transact((u) => u.experiments.get(half))).rejects.toBeInstanceOf(InvalidValueError);
      await expect(
        uow.transact((u) => u.analysisCache.findEntry('analysis_runs', half)),
      ).rejects.toBeInstanceOf(InvalidValueError);
    }));
});

function named(columns: readonly Column[], name: string): Column {
  const found = columns.find((column) => column.name === name);
  if (!found) throw new Error(`no column ${name}`);
  return found;
}

/** Whether a path can't be given the value, or is given another. */
function passedBy(path: string, what: string, document: unknown): boolean {
  // A load stores all digits of a bigint.
  if (path === 'loadRows' && what === 'a bigint') return true;
  // The ORM walks plain data before it asks anybody: it has made null of undefined, or run out of stack, by then.
  if (/^em\.(?:insert|upsert|native)|query builder/.test(path) && /undefined|itself|levels/.test(what))
    return true;
  // The ORM and the driver take an array for a list of values.
  return Array.isArray(document) && /em\.execute|Kysely/.test(path);
}

function circle(): object {
  const me: Record<string, unknown> = {};
  return Object.assign(me, { me });
}

function deep(levels: number): object {
  let document = {};
  for (let level = 1; level < levels; level++) document = { a: document };
  return document;
}
