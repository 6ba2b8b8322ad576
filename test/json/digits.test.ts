import {
  assert,
  array,
  asyncProperty,
  constantFrom,
  dictionary,
  double,
  letrec,
  oneof,
  string,
} from 'fast-check';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExperimentDocument } from '../../src/entities.ts';
import type { Tables } from '../../src/entities/tables.ts';
import { InvalidJsonError } from '../../src/index.ts';
import { rawJSON } from '../../src/json/raw-json.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { insertBareRows } from '../schema/rows.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
  await insertBareRows(db.orm.em.fork());
});
afterAll(() => db.drop());

type Document = Record<string, unknown>;

const big = '{"n":12345678901234567890,"e":1e400,"list":[0.12345678901234567890,[9007199254740993]],"k":1}';

function listOf(document: Document | null | undefined): unknown[] {
  const list = document?.['list'];
  if (!Array.isArray(list)) throw new Error('no list');
  return list;
}

/** The row, its document stored as `text` by others. */
async function stored(em: EntityManager, text: string): Promise<ExperimentDocument> {
  await em.execute('update experiment_documents set metadata = ?::jsonb', [text]);
  em.clear();
  const [row] = await em.find(ExperimentDocument, {});
  if (!row) throw new Error('no row');
  return row;
}

/** Whether the document is what PostgreSQL takes `text` for, and how often the row was written. */
async function found(
  em: EntityManager,
  text: string,
): Promise<{ same: boolean; version: number } | undefined> {
  const [row] = await em.execute<{ same: boolean; version: number }[]>(
    'select metadata = ?::jsonb as same, row_version as version from experiment_documents',
    [text],
  );
  return row;
}

describe('a stored document with numbers that JavaScript rounds', () => {
  test.each<[string, (row: ExperimentDocument) => void, string]>([
    [
      'a key changed in place',
      ({ metadata }) => Object.assign(metadata ?? {}, { k: 2 }),
      big.replace('"k":1', '"k":2'),
    ],
    ['a place deep in it changed', ({ metadata }) => listOf(metadata).push('x'), big.replace(']]', '],"x"]')],
    [
      'a number of it replaced',
      ({ metadata }) => Object.assign(metadata ?? {}, { n: 5, e: null }),
      big.replace('12345678901234567890', '5').replace('1e400', 'null'),
    ],
    [
      'a number of it replaced by one with as many digits',
      ({ metadata }) => Object.assign(metadata ?? {}, { n: rawJSON('12345678901234567891') }),
      big.replace('7890,', '7891,'),
    ],
  ])('keeps the digits of the others with %s', (_, change, expected) =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, big);
      const { version = 0 } = (await found(em, big)) ?? {};

      change(row);
      await em.flush();

      expect(await found(em, expected)).toEqual({ same: true, version: version + 1 });
      await em.flush();
      expect(await found(em, expected)).toEqual({ same: true, version: version + 1 });
    }),
  );

  test('keeps them where another document takes its place, in each of several flushes', () =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, big);

      row.metadata = { ...row.metadata, k: 2 };
      await em.flush();
      row.metadata = { ...row.metadata, k: 3 };
      await em.flush();
      Object.assign(row.metadata, { k: 4 });
      await em.flush();

      expect(await found(em, big.replace('"k":1', '"k":4'))).toMatchObject({ same: true });
    }));

  test('keeps them in a statement that goes past the flush, and after an inner unit of work was rolled back', () =>
    db.rollback(async (uow) => {
      const row = await stored(uow.em, big);
      await uow
        .transact(async () => {
          Object.assign(row.metadata ?? {}, { k: 9 });
          throw new Error('no');
        })
        .catch(() => {});
      Object.assign(row.metadata ?? {}, { k: 2 });
      await uow.em.nativeUpdate(ExperimentDocument, { id: row.id }, { metadata: row.metadata });
      uow.em.clear();

      expect(await found(uow.em, big.replace('"k":1', '"k":2'))).toMatchObject({ same: true });
    }));

  test.each<[string, (document: Document) => Document]>([
    ['moved', ({ n, ...others }) => ({ ...others, e: null, moved: n })],
    ['moved in a list', ({ list, ...others }) => ({ ...others, e: null, list: [0, ...listOf({ list })] })],
  ])('is not written when such a number was %s', (_, change) =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, big);
      row.metadata = change({ ...row.metadata, k: 2 });

      await expect(em.flush()).rejects.toBeInstanceOf(InvalidJsonError);
      expect(await found(em, big)).toMatchObject({ same: true });
    }),
  );

  test('is read as the nearest numbers, by entities and by statements of plain rows', () =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, big);

      expect(row.metadata).toMatchObject({ n: Number('12345678901234567890'), e: Infinity });
      const [plain] = await em
        .getKysely<Tables>()
        .selectFrom('experiment_documents')
        .select('metadata')
        .execute();
      expect(plain?.metadata).toEqual(row.metadata);
    }));
});

describe('a document that says the same', () => {
  test.each([
    ['its keys in another order', '{"b":[{"y":1,"x":2}],"a":null}', { b: [{ y: 1, x: 2 }], a: null }],
    ['a number that was stored with zeros', '{"a":1.500,"b":100}', { b: 100, a: 1.5 }],
    ['a number that was stored as it is', '{"a":0.0000001,"b":1e21}', { b: 1e21, a: 1e-7 }],
    [
      'rounded numbers in another order',
      '{"a":12345678901234567890,"b":1}',
      { b: 1, a: Number('12345678901234567890') },
    ],
    ['undefined properties', '{"a":1}', { b: undefined, a: 1 }],
  ])('is not written when it is assigned with %s', (_, text, document) =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, text);
      const before = await found(em, text);

      row.metadata = document;
      await em.flush();

      expect(await found(em, text)).toEqual({ same: true, version: before?.version });
    }),
  );

  test.each([
    ['elements in another order', '{"a":[1,2]}', { a: [2, 1] }],
    ['an infinity no more', '{"a":1e400}', { a: null }],
    ['a text in place of a number', '{"a":1}', { a: '1' }],
    ['a key more', '{"a":1}', { a: 1, b: null }],
  ])('but for %s is written', (_, text, document) =>
    db.rollback(async ({ em }) => {
      const row = await stored(em, text);
      row.metadata = document;
      await em.flush();

      expect(await found(em, JSON.stringify(document))).toMatchObject({ same: true });
    }),
  );
});

test('any document of any texts comes back as it was, or is refused and not stored', async () => {
  const odd = string({ unit: 'binary' });
  const number = double();
  const { document } = letrec<{ document: unknown }>((tie) => ({
    document: oneof(
      { maxDepth: 4 },
      odd,
      number,
      constantFrom(null, true, '\ud83d', '\0', undefined),
      array(tie('document'), { maxLength: 3 }),
      dictionary(odd, tie('document'), { maxKeys: 3 }),
    ),
  }));
  await db.rollback(async (uow) => {
    await assert(
      asyncProperty(dictionary(odd, document, { maxKeys: 3 }), async (metadata) => {
        const row = await stored(uow.em, '{"before":1}');
        row.metadata = metadata;
        const refused = await uow
          .transact(async ({ em }) => em.flush())
          .then(
            () => undefined,
            (error: Error) => error,
          );
        uow.em.clear();
        const [read] = await uow.em.execute<{ metadata: unknown }[]>(
          'select metadata from experiment_documents',
        );
        const [outcome, content] = isOdd(metadata)
          ? [InvalidJsonError, { before: 1 }]
          : [undefined, JSON.parse(JSON.stringify(metadata))];
        expect([refused?.constructor, read?.metadata]).toEqual([outcome, content]);
      }),
      { numRuns: 200 },
    );
  });
});

/** Whether a document holds what JSON or PostgreSQL can't, found in the plainest way. */
function isOdd(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value === 'string') return /\0|\p{Surrogate}/u.test(value);
  if (Array.isArray(value)) return value.some((one) => one === undefined || isOdd(one));
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, one]) => isOdd(key) || isOdd(one));
}
