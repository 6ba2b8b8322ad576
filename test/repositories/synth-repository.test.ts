import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { at, keys, observables, shuffled, traits } from './some-synths.ts';
import { walk } from './walk.ts';

describe('SynthRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('getDetail gives each part of the data, and null for what is not known', () =>
    db.rollback(async ({ synths, em }) => {
      const group = aSynthGroup(em);
      const data = {
        demografia: { idade: 42 },
        psicografia: { interesses: ['chess'] },
        deficiencias: { visual: { tipo: 'leve' as const } },
        observables,
        simulation_attributes: { observables, latent_traits: traits },
        unknown: 'kept, not shown',
      };
      const full = aSynth(em, {
        synthGroup: group,
        description: 'd',
        linkPhoto: 'l',
        avatarPath: 'a',
        version: '2.3.0',
        createdAt: at(1),
        data,
      });
      const bare = aSynth(em, { data: null });

      expect(await synths.getDetail(full.id)).toEqual({
        id: full.id,
        synthGroupId: group.id,
        name: 'Maria Souza',
        description: 'd',
        linkPhoto: 'l',
        avatarPath: 'a',
        version: '2.3.0',
        createdAt: at(1),
        demographics: data.demografia,
        psychographics: data.psicografia,
        disabilities: data.deficiencias,
        observables,
        simulationAttributes: data.simulation_attributes,
      });
      expect(await synths.getDetail(bare.id)).toEqual({
        id: bare.id,
        synthGroupId: null,
        name: 'Maria Souza',
        description: null,
        linkPhoto: null,
        avatarPath: null,
        version: '2.0.0',
        createdAt: expect.any(Date),
        demographics: null,
        psychographics: null,
        disabilities: null,
        observables: null,
        simulationAttributes: null,
      });
    }));

  test('getAvatarPath gives the path of that synth, or null', () =>
    db.rollback(async ({ synths, em }) => {
      const [pictured, bare] = [aSynth(em, { avatarPath: 'a.png' }), aSynth(em)];

      expect(await synths.getAvatarPath(pictured.id)).toBe('a.png');
      expect(await synths.getAvatarPath(bare.id)).toBeNull();
    }));

  test('getDetail and getAvatarPath refuse a synth that does not exist', () =>
    db.rollback(async ({ synths, em }) => {
      aSynth(em);

      await expect(synths.getDetail('syn_missing')).rejects.toBeInstanceOf(NotFoundError);
      await expect(synths.getAvatarPath('syn_missing')).rejects.toBeInstanceOf(NotFoundError);
    }));

  test('a summary has these fields and no others', () =>
    db.rollback(async ({ synths, em }) => {
      const group = aSynthGroup(em);
      aSynth(em, { synthGroup: group, description: 'd', linkPhoto: 'l', avatarPath: 'a' });
      const summary = {
        id: expect.any(String),
        synthGroupId: group.id,
        name: 'Maria Souza',
        description: 'd',
        linkPhoto: 'l',
        avatarPath: 'a',
        createdAt: expect.any(Date),
        version: '2.0.0',
      };

      expect((await synths.pageSummaries()).data).toEqual([summary]);
      expect((await synths.scrollSummaries()).data).toEqual([summary]);
      expect((await synths.pageSummaries()).data).toEqual([summary]);
      expect((await synths.scrollSummaries()).data).toEqual([summary]);
    }));

  test('each list orders newest first, and by key where times are equal', () =>
    db.rollback(async ({ synths, em }) => {
      for (const [key, second] of shuffled) aSynth(em, { id: key, createdAt: at(second) });

      expect(keys(await synths.pageSummaries())).toBe('cdba');
      expect(keys(await synths.scrollSummaries())).toBe('cdba');
      expect(keys(await synths.scrollDetails())).toBe('cdba');
      expect(keys(await synths.pageSummaries({ text: 'maria' }))).toBe('cdba');
      expect(keys(await synths.scrollSummaries({ text: 'maria' }))).toBe('cdba');
    }));

  test('pageSummaries orders by what is asked for, and by key where that is equal', () =>
    db.rollback(async ({ synths, em }) => {
      for (const [key, second] of shuffled) {
        aSynth(em, { id: key, createdAt: at(second), name: second === 2 ? 'Ana' : 'Bia' });
      }

      expect(keys(await synths.pageSummaries({ sortOrder: 'asc' }))).toBe('abdc');
      expect(keys(await synths.pageSummaries({ sortBy: 'name' }))).toBe('dbac');
      expect(keys(await synths.pageSummaries({ sortBy: 'name', sortOrder: 'asc' }))).toBe('cabd');
      expect(keys(await synths.pageSummaries({ limit: 2, offset: 1 }))).toBe('db');
      expect((await synths.pageSummaries({ limit: 2, offset: 1 })).pagination).toEqual({
        total: 4,
        limit: 2,
        offset: 1,
        hasNext: true,
      });
    }));

  test('a group narrows every list and count, null to the synths of none', () =>
    db.rollback(async ({ synths, em }) => {
      const [group, other] = [aSynthGroup(em), aSynthGroup(em)];
      for (const [id, synthGroup] of [
        ['a', group],
        ['b', other],
        ['c', group],
        ['d', null],
      ] as const) {
        aSynth(em, { id, synthGroup, createdAt: at(1) });
      }

      for (const [option, expected] of [
        [{}, 'dcba'],
        [{ group: undefined }, 'dcba'],
        [{ group: group.id }, 'ca'],
        [{ group: null }, 'd'],
        [{ group: 'grp_missing' }, ''],
      ] as const) {
        expect(keys(await synths.pageSummaries(option))).toBe(expected);
        expect((await synths.pageSummaries(option)).pagination.total).toBe(expected.length);
        expect(keys(await synths.scrollSummaries(option))).toBe(expected);
        expect(keys(await synths.scrollDetails(option))).toBe(expected);
        expect(keys(await synths.pageSummaries({ ...option, text: 'maria' }))).toBe(expected);
        expect(keys(await synths.scrollSummaries({ ...option, text: 'maria' }))).toBe(expected);
        expect(await synths.count(option)).toBe(expected.length);
      }
    }));

  test.each(['scrollSummaries', 'scrollDetails'] as const)(
    '%s walks every synth once, equal times and microseconds included',
    (list) =>
      db.rollback(async ({ synths, em }) => {
        await em.execute(`insert into synths (id, nome, created_at)
          select 'syn_' || i, 'n', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`);

        const found = await walk((after) =>
          synths[list]({
            after,
            first: 3,
          }),
        );
        const walked = found.map(({ id }) => id);

        const all = await em.execute<{ id: string }[]>(
          'select id from synths order by created_at desc, id desc',
        );
        expect(walked).toEqual(all.map(({ id }) => id));
      }),
  );

  test('a cursor goes on in the list of its group and its criteria alone', () =>
    db.rollback(async ({ synths, em }) => {
      const group = aSynthGroup(em).id;
      for (const id of ['a', 'b', 'c']) aSynth(em, { id, synthGroup: group, createdAt: at(1) });
      const ofGroup = (await synths.scrollSummaries({ group, first: 1 })).pagination.endCursor;
      const found = (await synths.scrollSummaries({ text: 'maria', first: 1 })).pagination.endCursor;

      expect(keys(await synths.scrollDetails({ group, after: ofGroup }))).toBe('ba');
      expect(keys(await synths.scrollSummaries({ text: 'maria', after: found }))).toBe('ba');
      for (const foreign of [
        () => synths.scrollSummaries({ after: ofGroup }),
        () => synths.scrollSummaries({ group: null, after: ofGroup }),
        () => synths.scrollSummaries({ group: 'grp_other', after: ofGroup }),
        () => synths.scrollSummaries({ after: found }),
        () => synths.scrollSummaries({ after: found }),
        () => synths.scrollSummaries({ text: 'mari', after: found }),
        () => synths.scrollSummaries({ text: 'maria', group, after: found }),
        () => synths.scrollSummaries({ text: 'maria', filters: { demografia: { idade: 42 } }, after: found }),
      ]) {
        await expect(foreign()).rejects.toBeInstanceOf(InvalidPageError);
      }
    }));

  test('every list refuses what is out of bounds', () =>
    db.rollback(async ({ synths }) => {
      for (const refused of [
        () => synths.pageSummaries({ limit: 201 }),
        () => synths.pageSummaries({ offset: -1 }),
        () => synths.scrollSummaries({ first: 0 }),
        () => synths.scrollDetails({ first: 0.5 }),
        () => synths.scrollSummaries({ after: 'x' }),
        // @ts-expect-error -- what a caller without types may send
        () => synths.pageSummaries({ sortBy: 'data' }),
      ]) {
        await expect(refused()).rejects.toBeInstanceOf(InvalidPageError);
      }
    }));

  test('count counts what is staged too', () =>
    db.rollback(async ({ synths, em }) => {
      expect(await synths.count()).toBe(0);
      aSynth(em);
      expect(await synths.count()).toBe(1);
    }));

  test('listFields names the columns and the parts of the data', () =>
    db.rollback(async ({ synths }) => {
      const fields = synths.listFields();

      expect(fields.map(({ name }) => name)).toEqual([
        'id',
        'name',
        'description',
        'createdAt',
        'data.demografia',
        'data.psicografia',
        'data.deficiencias',
        'data.observables',
        'data.simulation_attributes',
      ]);
      expect(fields[7]).toEqual({
        name: 'data.observables',
        type: 'object',
        description: expect.any(String),
        nestedFields: Object.keys(observables),
      });
    }));
});
