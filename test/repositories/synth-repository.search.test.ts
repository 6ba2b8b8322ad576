import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidValueError } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { at, keys } from './some-synths.ts';

describe('SynthRepository, search', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('finds a text in name or description, whatever its case, and nowhere else', () =>
    db.rollback(async ({ synths, em }) => {
      aSynth(em, { id: 'a', name: 'João SILVA', createdAt: at(4) });
      aSynth(em, { id: 'b', name: 'Ana', description: 'irmã da Silva', createdAt: at(3) });
      aSynth(em, { id: 'c', name: 'Ana', description: 'other', createdAt: at(2) });
      aSynth(em, {
        id: 'd',
        name: 'Ana',
        avatarPath: 'silva.png',
        data: { nome: 'silva' },
        createdAt: at(1),
      });

      expect(keys(await synths.pageSummaries({ text: 'silva' }))).toBe('ab');
      expect((await synths.pageSummaries({ text: 'silva' })).pagination.total).toBe(2);
      expect(keys(await synths.scrollSummaries({ text: 'OÃO' }))).toBe('a');
      expect(keys(await synths.pageSummaries({ text: '' }))).toBe('abcd');
    }));

  test.each([
    ['100%', 'a'],
    ['a_b', 'b'],
    ['c\\d', 'c'],
    ["'; drop table synths; --", ''],
    ['$1', ''],
  ])('takes each character of "%s" for itself', (text, expected) =>
    db.rollback(async ({ synths, em }) => {
      aSynth(em, { id: 'a', name: '100% sure' });
      aSynth(em, { id: 'b', name: 'a_b' });
      aSynth(em, { id: 'c', name: 'c\\d' });
      aSynth(em, { id: 'x', name: '100 sure acb cd' });

      expect(keys(await synths.pageSummaries({ text }))).toBe(expected);
      expect(keys(await synths.scrollSummaries({ text }))).toBe(expected);
    }),
  );

  test('filters by any part of the data, at any depth, and lists by what they hold', () =>
    db.rollback(async ({ synths, em }) => {
      aSynth(em, {
        id: 'a',
        createdAt: at(3),
        data: {
          demografia: { idade: 30, localizacao: { estado: 'SP', cidade: 'Santos' } },
          psicografia: { interesses: ['chess', 'music'] },
        },
      });
      aSynth(em, { id: 'b', createdAt: at(2), data: { demografia: { localizacao: { estado: 'RJ' } } } });
      aSynth(em, { id: 'c', createdAt: at(1), data: null });

      expect(
        keys(await synths.pageSummaries({ filters: { demografia: { localizacao: { estado: 'SP' } } } })),
      ).toBe('a');
      expect(keys(await synths.pageSummaries({ filters: { psicografia: { interesses: ['music'] } } }))).toBe(
        'a',
      );
      expect(keys(await synths.pageSummaries({ filters: { demografia: { idade: 31 } } }))).toBe('');
      expect(keys(await synths.pageSummaries({ filters: { demografia: {} } }))).toBe('ab');
      expect(keys(await synths.pageSummaries({ filters: {} }))).toBe('abc');
      expect(keys(await synths.pageSummaries({ filters: { demografia: undefined } }))).toBe('abc');
    }));

  test('text, filters and group narrow together', () =>
    db.rollback(async ({ synths, em }) => {
      const group = aSynthGroup(em).id;
      const [here, there] = [{ demografia: { idade: 30 } }, { demografia: { idade: 31 } }];
      aSynth(em, { id: 'a', name: 'Ana', synthGroup: group, data: here });
      aSynth(em, { id: 'b', name: 'Bia', synthGroup: group, data: here });
      aSynth(em, { id: 'c', name: 'Ana', synthGroup: null, data: here });
      aSynth(em, { id: 'd', name: 'Ana', synthGroup: group, data: there });

      const criteria = { text: 'ana', filters: here, group };

      expect(keys(await synths.pageSummaries(criteria))).toBe('a');
      expect(keys(await synths.scrollSummaries(criteria))).toBe('a');
    }));

  test('filters through the index on the data', () =>
    db.rollback(async ({ synths, em }) => {
      await em.execute(`insert into synths (id, nome, data)
        select 'syn_' || i, 'n', jsonb_build_object('demografia', jsonb_build_object('idade', i % 400))
        from generate_series(1, 20000) i`);
      await em.execute('analyze synths');
      const used = () =>
        em.execute(`select pg_stat_get_xact_numscans('idx_synths_data'::regclass) > 0 as used`);
      expect(await used()).toEqual([{ used: false }]);

      const { pagination } = await synths.pageSummaries({ filters: { demografia: { idade: 7 } } });

      expect(pagination.total).toBe(50);
      expect(await used()).toEqual([{ used: true }]);
    }));

  test.each([{ text: '\u0000' }, { filters: { a: '\u0000' } }])(
    'a character that PostgreSQL does not store is an invalid value: %o',
    async (criteria) => {
      const search = db.read(({ synths }) => synths.pageSummaries(criteria));

      await expect(search).rejects.toBeInstanceOf(InvalidValueError);
    },
  );
});
