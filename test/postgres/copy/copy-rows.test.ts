import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DanglingReferenceError, openDatabase, type UnitOfWork } from '../../../src/index.ts';
import type { Tables } from '../../../src/entities/tables.ts';
import { copyRows } from '../../../src/postgres/copy/copy-rows.ts';
import { TestDatabase, aSynthOutcome, anAnalysisRun } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { attributes } from '../../repositories/some-outcomes.ts';

type Row = Omit<Tables['synth_outcomes'], 'row_version'>;

const columns = {
  id: 'text',
  analysis_id: 'text',
  synth_id: 'text',
  did_not_try_rate: 'double precision',
  failed_rate: 'double precision',
  success_rate: 'double precision',
  synth_attributes: 'jsonb',
} as const;

describe('rows copied on the connection of a unit of work', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    await db.orm.em.fork().execute('delete from experiments');
    await db.transact(async ({ em }) => void anAnalysisRun(em, { id: 'ana_1' }));
  });

  const stored = (): Promise<number> => db.read(({ synthOutcomes }) => synthOutcomes.count('ana_1'));

  test('are visible in its transaction at once, and after it', async () => {
    await db.transact(async (uow) => {
      expect(await copy(uow, [row('a'), row('b')])).toBe(true);
      expect(await uow.synthOutcomes.count('ana_1')).toBe(2);
      expect(await stored()).toBe(0);
    });

    expect(await stored()).toBe(2);
  });

  test('can be empty', async () => {
    expect(await db.transact((uow) => copy(uow, []))).toBe(true);
  });

  test.each([1, 10_000, 20_000, 21_845, 65_536, 1_000_000])(
    'can have texts of %i characters of any width',
    async (length) => {
      const texts = ['x', 'é', '€', '😀'].map((one) => one.repeat(length));

      await db.transact((uow) =>
        copy(
          uow,
          texts.map((text, i) => Object.assign(row(`${i}`), { synth_attributes: { ...attributes, text } })),
        ),
      );

      const found = await db.read(({ synthOutcomes }) => synthOutcomes.listSummaries('ana_1'));
      expect(found.map(({ synthAttributes }, i) => synthAttributes?.text === texts[i])).toEqual(
        Array(texts.length).fill(true),
      );
    },
  );

  test('are not inserted when a key exists, and the transaction continues', async () => {
    await db.transact(async (uow) => {
      aSynthOutcome(uow.em, { id: 'out_mine', analysis: 'ana_1', synthId: 'c' });
      await uow.flush();

      expect(await copy(uow, ['a', 'b', 'c', 'd'].map(row))).toBe(false);
      expect(await copy(uow, [row('e')])).toBe(true);
    });

    const found = await db.read(({ synthOutcomes }) => synthOutcomes.listSummaries('ana_1'));
    expect(found.map(({ synthId }) => synthId)).toEqual(['c', 'e']);
  });

  test('that the database refuses for another reason fail the transaction', async () => {
    const refused = db.transact((uow) => copy(uow, [{ ...row('a'), analysis_id: 'ana_missing' }]));

    await expect(refused).rejects.toBeInstanceOf(DanglingReferenceError);
    expect(await stored()).toBe(0);
  });

  test.each([0, 1, 5_000])('that throw after %i rows leave the connection usable', async (before) => {
    const fault = new Error('no more rows');
    function* broken(): Generator<Row> {
      for (let i = 0; i < before; i++) yield row(`${i}`);
      throw fault;
    }

    await expect(db.transact((uow) => copy(uow, broken()))).rejects.toBe(fault);
    await db.transact(async (uow) => {
      await expect(uow.transact((inner) => copy(inner, broken()))).rejects.toBe(fault);
      await copy(uow, [row('after')]);
    });

    expect(await stored()).toBe(1);
  });

  test('that are refused early leave the connection usable', async () => {
    await db.transact(async (uow) => {
      expect(await copy(uow, [row('a'), row('a'), ...many()])).toBe(false);
      expect(await copy(uow, [row('after')])).toBe(true);
    });

    expect(await stored()).toBe(1);
  });

  test.each(['cut', 'reset', 'error', 'cut after sending', 'cut while copying'] as const)(
    'fail with a lost connection (%s), and the pool stays usable',
    async (fault) => {
      await using proxy = await WireProxy.start(db.target);
      await using database = await openDatabase({
        url: proxy.url(),
        pool: { max: 1, acquireTimeout: 2_000 },
      });
      proxy.failAt(/^copy/, fault);

      await expect(database.transact((uow) => copy(uow, many()))).rejects.toThrow();
      await database.transact((uow) => copy(uow, [row('after')]));

      expect(await stored()).toBe(1);
    },
  );

  test('are refused outside a transaction', async () => {
    const em = db.orm.em.fork();

    await expect(copyRows(em, 'synth_outcomes', columns, [row('a')])).rejects.toThrow();
    expect(await stored()).toBe(0);
  });
});

function copy({ em }: UnitOfWork, rows: Iterable<Row>): Promise<boolean> {
  return copyRows(em, 'synth_outcomes', columns, rows);
}

function* many(): Generator<Row> {
  for (let i = 0; i < 20_000; i++) yield row(`${i}`);
}

function row(synth: string): Row {
  return {
    id: `out_${synth}`,
    analysis_id: 'ana_1',
    synth_id: synth,
    did_not_try_rate: 0.2,
    failed_rate: 0.3,
    success_rate: 0.5,
    synth_attributes: attributes,
  };
}
