import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InvalidPageError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { at, keys, observables, shuffled, traits } from './some-synths.ts';

describe('SynthRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

<<<<<<< HEAD
  describe('reads', () => {
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
        expect((await synths.listSummaries()).data).toEqual([summary]);
        expect((await synths.search()).data).toEqual([summary]);
        expect((await synths.searchSummaries()).data).toEqual([summary]);
      }));

    test('each list orders newest first, and by key where times are equal', () =>
      db.rollback(async ({ synths, em }) => {
        for (const [key, second] of shuffled) aSynth(em, { id: key, createdAt: at(second) });

        expect(keys(await synths.pageSummaries())).toBe('cdba');
        expect(keys(await synths.listSummaries())).toBe('cdba');
        expect(keys(await synths.listDetails())).toBe('cdba');
        expect(keys(await synths.search({ text: 'maria' }))).toBe('cdba');
        expect(keys(await synths.searchSummaries({ text: 'maria' }))).toBe('cdba');
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
          expect(keys(await synths.listSummaries(option))).toBe(expected);
          expect(keys(await synths.listDetails(option))).toBe(expected);
          expect(keys(await synths.search({ ...option, text: 'maria' }))).toBe(expected);
          expect(keys(await synths.searchSummaries({ ...option, text: 'maria' }))).toBe(expected);
          expect(await synths.count(option)).toBe(expected.length);
        }
      }));

    test.each(['listSummaries', 'listDetails', 'searchSummaries'] as const)(
      '%s walks every synth once, equal times and microseconds included',
      (list) =>
        db.rollback(async ({ synths, em }) => {
          await em.execute(`insert into synths (id, nome, created_at)
            select 'syn_' || i, 'n', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
            from generate_series(1, 20) i`);

          const walked: string[] = [];
          let after: string | null = null;
          do {
            const { data, next }: Awaited<ReturnType<typeof synths.listSummaries>> = await synths[list]({
              after,
              limit: 3,
            });
            walked.push(...data.map(({ id }) => id));
            after = next;
          } while (after !== null);

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
        const ofGroup = (await synths.listSummaries({ group, limit: 1 })).next;
        const found = (await synths.searchSummaries({ text: 'maria', limit: 1 })).next;

        expect(keys(await synths.listDetails({ group, after: ofGroup }))).toBe('ba');
        expect(keys(await synths.searchSummaries({ text: 'maria', after: found }))).toBe('ba');
        for (const foreign of [
          () => synths.listSummaries({ after: ofGroup }),
          () => synths.listSummaries({ group: null, after: ofGroup }),
          () => synths.listSummaries({ group: 'grp_other', after: ofGroup }),
          () => synths.listSummaries({ after: found }),
          () => synths.searchSummaries({ after: found }),
          () => synths.searchSummaries({ text: 'mari', after: found }),
          () => synths.searchSummaries({ text: 'maria', group, after: found }),
          () =>
            synths.searchSummaries({ text: 'maria', filters: { demografia: { idade: 42 } }, after: found }),
        ]) {
          await expect(foreign()).rejects.toBeInstanceOf(InvalidPageError);
        }
      }));

    test('every list refuses what is out of bounds', () =>
      db.rollback(async ({ synths }) => {
        for (const refused of [
          () => synths.pageSummaries({ limit: 201 }),
          () => synths.search({ offset: -1 }),
          () => synths.listSummaries({ limit: 0 }),
          () => synths.listDetails({ limit: 0.5 }),
          () => synths.searchSummaries({ after: 'x' }),
          // @ts-expect-error -- what a caller without types may send
          () => synths.search({ sortBy: 'data' }),
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

  describe('search', () => {
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

        expect(keys(await synths.search({ text: 'silva' }))).toBe('ab');
        expect((await synths.search({ text: 'silva' })).pagination.total).toBe(2);
        expect(keys(await synths.searchSummaries({ text: 'OÃO' }))).toBe('a');
        expect(keys(await synths.search({ text: '' }))).toBe('abcd');
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

        expect(keys(await synths.search({ text }))).toBe(expected);
        expect(keys(await synths.searchSummaries({ text }))).toBe(expected);
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
          keys(await synths.search({ filters: { demografia: { localizacao: { estado: 'SP' } } } })),
        ).toBe('a');
        expect(keys(await synths.search({ filters: { psicografia: { interesses: ['music'] } } }))).toBe('a');
        expect(keys(await synths.search({ filters: { demografia: { idade: 31 } } }))).toBe('');
        expect(keys(await synths.search({ filters: { demografia: {} } }))).toBe('ab');
        expect(keys(await synths.search({ filters: {} }))).toBe('abc');
        expect(keys(await synths.search({ filters: { demografia: undefined } }))).toBe('abc');
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

        expect(keys(await synths.search(criteria))).toBe('a');
        expect(keys(await synths.searchSummaries(criteria))).toBe('a');
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

        const { pagination } = await synths.search({ filters: { demografia: { idade: 7 } } });

        expect(pagination.total).toBe(50);
        expect(await used()).toEqual([{ used: true }]);
      }));

    test.each([{ text: '\u0000' }, { filters: { a: '\u0000' } }])(
      'a character that PostgreSQL does not store is an invalid value: %o',
      async (criteria) => {
        const search = db.read(({ synths }) => synths.search(criteria));

        await expect(search).rejects.toBeInstanceOf(InvalidValueError);
      },
    );
  });

  describe('of an analysis', () => {
    test('getExtremeCases gives the best first and the worst first, by key where rates are equal', () =>
      db.rollback(async ({ synths, em }) => {
        const analysis = anAnalysisRun(em, { status: 'completed' });
        for (const [synthId, successRate] of [
          ['c', 0.5],
          ['f', 0.1],
          ['a', 0.9],
          ['e', 0.1],
          ['d', 0.5],
          ['b', 0.9],
          ['g', 0.5],
        ] as const) {
          aSynthOutcome(em, { analysis, synthId, successRate });
        }

        const { experiment } = analysis;
        expect(await synths.getExtremeCases(experiment.id, 3)).toEqual({
          top: ['a', 'b', 'c'],
          bottom: ['f', 'e', 'g'],
        });
        expect(await synths.getExtremeCases(experiment.id, 1)).toEqual({ top: ['a'], bottom: ['f'] });
      }));

    test('getExtremeCases puts no synth on both sides, and says how many are missing', () =>
      db.rollback(async ({ synths, em }) => {
        const analysis = anAnalysisRun(em, { status: 'completed' });
        const { experiment } = analysis;
        const empty = await synths.getExtremeCases(experiment.id).catch((error: unknown) => error);
        for (let i = 0; i < 9; i++) aSynthOutcome(em, { analysis });
        const nine = await synths.getExtremeCases(experiment.id).catch((error: unknown) => error);
        aSynthOutcome(em, { analysis });
        const { top, bottom } = await synths.getExtremeCases(experiment.id);

        expect(empty).toBeInstanceOf(TooFewRowsError);
        expect(empty).toMatchObject({ code: 'too_few_rows', needed: 10, found: 0 });
        expect(nine).toMatchObject({ needed: 10, found: 9 });
        expect(new Set([...top, ...bottom]).size).toBe(10);
      }));

    test("getExtremeCases and listForSimulation leave other experiments' synths out", () =>
      db.rollback(async ({ synths, em }) => {
        const [mine, other] = [
          anAnalysisRun(em, { status: 'completed' }),
          anAnalysisRun(em, { status: 'completed' }),
        ];
        for (const [analysis, id, successRate] of [
          [mine, 'a', 0.6],
          [mine, 'b', 0.5],
          [other, 'c', 1],
          [other, 'd', 0],
        ] as const) {
          aSynth(em, { id });
          aSynthOutcome(em, { analysis, synthId: id, successRate });
        }
        aSynth(em, { id: 'e' });

        expect(await synths.getExtremeCases(mine.experiment.id, 1)).toEqual({ top: ['a'], bottom: ['b'] });
        const simulated = await synths.listForSimulation(mine.experiment.id);
        expect(simulated.map(({ id }) => id)).toEqual(['a', 'b']);
      }));

    test('getExtremeCases and listForSimulation of a deleted experiment are reached by its key', () =>
      db.rollback(async ({ synths, em }) => {
        const experiment = anExperiment(em, { status: 'deleted' });
        const analysis = anAnalysisRun(em, { experiment, status: 'completed' });
        for (const [id, successRate] of [
          ['a', 0.6],
          ['b', 0.5],
        ] as const) {
          aSynthOutcome(em, { analysis, synthId: aSynth(em, { id }).id, successRate });
        }

        expect(await synths.getExtremeCases(experiment.id, 1)).toEqual({ top: ['a'], bottom: ['b'] });
        expect(await synths.listForSimulation(experiment.id)).toHaveLength(2);
      }));

    test.each(['getExtremeCases', 'listForSimulation'] as const)(
      '%s refuses an experiment without a completed run',
      (method) =>
        db.rollback(async ({ synths, em }) => {
          const { experiment } = anAnalysisRun(em, { status: 'running' });
          const bare = anExperiment(em);
          anAnalysisRun(em, { status: 'completed' });

          for (const id of [experiment.id, bare.id, 'exp_missing']) {
            await expect(synths[method](id, 1)).rejects.toMatchObject({
              code: 'not_found',
              entity: 'AnalysisRun',
              key: { experiment: id, status: 'completed' },
            });
          }
        }),
    );

    test.each(['getExtremeCases', 'listForSimulation'] as const)(
      '%s refuses a limit out of bounds',
      (method) =>
        db.rollback(async ({ synths, em }) => {
          const { experiment } = anAnalysisRun(em, { status: 'completed' });

          for (const limit of [0, 201, 1.5]) {
            await expect(synths[method](experiment.id, limit)).rejects.toBeInstanceOf(InvalidPageError);
          }
        }),
    );

    test('listForSimulation gives synths with data by key, and no more than asked for', () =>
      db.rollback(async ({ synths, em }) => {
        const analysis = anAnalysisRun(em, { status: 'completed' });
        for (const id of ['d', 'c', 'b', 'a']) {
          aSynth(em, { id, data: id === 'b' ? null : {} });
          aSynthOutcome(em, { analysis, synthId: id });
        }
        aSynthOutcome(em, { analysis, synthId: 'gone' });

        const ids = async (limit?: number): Promise<string> =>
          (await synths.listForSimulation(analysis.experiment.id, limit)).map(({ id }) => id).join('');

        expect(await ids()).toBe('acd');
        expect(await ids(2)).toBe('ac');
      }));

    test('listForSimulation gives nothing for a run without synths', () =>
      db.rollback(async ({ synths, em }) => {
        const { experiment } = anAnalysisRun(em, { status: 'completed' });

        expect(await synths.listForSimulation(experiment.id)).toEqual([]);
      }));

    test('listForSimulation derives traits from what is observed', () =>
      db.rollback(async ({ synths, em }) => {
        const analysis = anAnalysisRun(em, { status: 'completed' });
        const { id } = aSynth(em, { data: { observables: { ...observables, more: 1 } } });
        aSynthOutcome(em, { analysis, synthId: id });

        expect(await synths.listForSimulation(analysis.experiment.id)).toEqual([
          {
            id,
            simulationAttributes: {
              observables,
              latent_traits: {
                capability_mean: expect.closeTo(0.4 * 0.6 + 0.35 * 0.5 + 0.15 * 0.9 + 0.1 * 0.3, 12),
                trust_mean: expect.closeTo(0.6 * 0.5 + 0.4 * 0.6, 12),
                friction_tolerance_mean: expect.closeTo(0.4 * 0.4 + 0.35 * 0.6 + 0.25 * 0.5, 12),
                exploration_prob: expect.closeTo(0.5 * 0.6 + 0.3 * (1 - 0.5) + 0.2 * 0.4, 12),
              },
            },
          },
        ]);
      }));

    test('listForSimulation derives all from the personality of a synth of before', () =>
      db.rollback(async ({ synths, em }) => {
        const analysis = anAnalysisRun(em, { status: 'completed' });
        const personality = {
          abertura: 80,
          conscienciosidade: 60,
          extroversao: 30,
          amabilidade: 71,
          neuroticismo: 11,
        };
        aSynth(em, { id: 'a', data: { psicografia: { personalidade_big_five: personality } } });
        aSynth(em, { id: 'b', data: { demografia: { idade: 42 } } });
        for (const synthId of ['a', 'b']) aSynthOutcome(em, { analysis, synthId });

        const [known, average] = await synths.listForSimulation(analysis.experiment.id);

        expect(known?.simulationAttributes).toEqual({
          observables: {
            digital_literacy: 0.74,
            similar_tool_experience: 0.5,
            motor_ability: 1,
            time_availability: 0.967,
            domain_expertise: 0.5,
          },
          latent_traits: {
            capability_mean: 0.7,
            trust_mean: 0.782,
            friction_tolerance_mean: 0.745,
            exploration_prob: 0.6,
          },
        });
        expect(average?.simulationAttributes).toEqual({
          observables: {
            digital_literacy: 0.5,
            similar_tool_experience: 0.5,
            motor_ability: 1,
            time_availability: 0.85,
            domain_expertise: 0.5,
          },
          latent_traits: {
            capability_mean: 0.5,
            trust_mean: 0.5,
            friction_tolerance_mean: 0.5,
            exploration_prob: 0.5,
          },
        });
      }));
  });

  describe('writes', () => {
    test('store puts a new synth into the default group, which it makes', () =>
      db.rollback(async ({ synths, synthGroups }) => {
        await synths.store({ id: 'abc123', name: 'Ana' });

        expect(await synths.getDetail('abc123')).toMatchObject({
          synthGroupId: defaultSynthGroup.id,
          name: 'Ana',
          version: '2.0.0',
          description: null,
          demographics: null,
        });
        expect(await synthGroups.findSummary(defaultSynthGroup.id)).toMatchObject({ synthCount: 1 });
      }));

    test('store puts a new synth into its group, or with null into none, and makes no default group', () =>
      db.rollback(async ({ synths, synthGroups, em }) => {
        const group = aSynthGroup(em).id;

        await synths.store({ id: 'a', name: 'Ana', group, createdAt: at(1) });
        await synths.store({ id: 'b', name: 'Bia', group: null });

        expect(await synths.getDetail('a')).toMatchObject({ synthGroupId: group, createdAt: at(1) });
        expect(await synths.getDetail('b')).toMatchObject({ synthGroupId: null });
        expect(await synthGroups.find(defaultSynthGroup.id)).toBeNull();
      }));

    test('store replaces what is given in a known synth, but for when it was made', () =>
      db.rollback(async ({ synths, em }) => {
        const [old, group] = [aSynthGroup(em), aSynthGroup(em).id];
        const other = aSynth(em, { id: 'b', createdAt: at(1) });
        aSynth(em, { id: 'a', synthGroup: old, createdAt: at(1) });

        await synths.store({
          id: 'a',
          name: 'Ana',
          group,
          description: 'd',
          linkPhoto: 'l',
          avatarPath: 'p',
          version: '3',
          data: { observables },
          createdAt: at(9),
        });

        expect(await synths.getDetail('a')).toMatchObject({
          synthGroupId: group,
          name: 'Ana',
          description: 'd',
          linkPhoto: 'l',
          avatarPath: 'p',
          version: '3',
          demographics: null,
          observables,
          createdAt: at(1),
        });
        expect(await synths.count()).toBe(2);
        expect((await synths.getDetail(other.id)).name).toBe('Maria Souza');
      }));

    test('store keeps what is absent in a known synth, and clears what is null', () =>
      db.rollback(async ({ synths, em }) => {
        const group = aSynthGroup(em);
        const all = {
          synthGroup: group,
          description: 'd',
          linkPhoto: 'l',
          avatarPath: 'p',
          version: '3',
          data: { observables },
        };
        for (const id of ['kept', 'cleared']) aSynth(em, { id, ...all });

        await synths.store({ id: 'kept', name: 'Ana', description: undefined });
        await synths.store({
          id: 'cleared',
          name: 'Ana',
          group: null,
          description: null,
          linkPhoto: null,
          avatarPath: null,
          data: null,
        });

        const parts = { synthGroupId: group.id, description: 'd', linkPhoto: 'l', avatarPath: 'p' };
        expect(await synths.getDetail('kept')).toMatchObject({
          name: 'Ana',
          ...parts,
          version: '3',
          observables,
        });
        expect(await synths.getDetail('cleared')).toMatchObject({
          name: 'Ana',
          synthGroupId: null,
          description: null,
          linkPhoto: null,
          avatarPath: null,
          observables: null,
          version: '3',
        });
        expect(await em.execute(`select data from synths where id = 'cleared'`)).toEqual([{ data: null }]);
      }));

    test('store brings a loaded synth up to date, and what waits to be written comes first', () =>
      db.rollback(async ({ synths, em }) => {
        const synth = aSynth(em, { id: 'a', version: '1' });
        synth.name = 'staged';
        synth.description = 'staged';

        await synths.store({ id: 'a', name: 'stored', data: { demografia: { idade: 1 } } });

        expect(synth).toMatchObject({
          name: 'stored',
          description: 'staged',
          version: '1',
          data: { demografia: { idade: 1 } },
        });
      }));

    test('store refuses data out of shape before anything is sent, and a group that does not exist', () =>
      db.rollback(async (uow) => {
        const invalid = uow.synths.store({
          id: 'a',
          name: 'Ana',
          data: { observables: { ...observables, motor_ability: 2 } },
        });
        await expect(invalid).rejects.toBeInstanceOf(InvalidJsonError);
        expect(await uow.synthGroups.find(defaultSynthGroup.id)).toBeNull();

        const dangling = uow.transact(({ synths }) => synths.store({ id: 'a', name: 'Ana', group: 'grp_x' }));
        await expect(dangling).rejects.toBeInstanceOf(DanglingReferenceError);
        await expect(dangling).rejects.toMatchObject({ constraint: 'fk_synths_synth_group_id' });
      }));

    test('fifty who store one new synth at once leave one, in one default group', async () => {
      await using own = await TestDatabase.create();

      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          own.transact(({ synths }) => synths.store({ id: 'abc123', name: `Ana ${i}` })),
        ),
      );

      await own.read(async ({ synths, synthGroups }) => {
        expect(await synths.count()).toBe(1);
        expect((await synths.getDetail('abc123')).name).toMatch(/^Ana \d+$/);
        expect((await synthGroups.pageSummaries()).data).toMatchObject([
          { id: defaultSynthGroup.id, synthCount: 1 },
        ]);
=======
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
>>>>>>> wt-c
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
      expect((await synths.listSummaries()).data).toEqual([summary]);
      expect((await synths.search()).data).toEqual([summary]);
      expect((await synths.searchSummaries()).data).toEqual([summary]);
    }));

  test('each list orders newest first, and by key where times are equal', () =>
    db.rollback(async ({ synths, em }) => {
      for (const [key, second] of shuffled) aSynth(em, { id: key, createdAt: at(second) });

      expect(keys(await synths.pageSummaries())).toBe('cdba');
      expect(keys(await synths.listSummaries())).toBe('cdba');
      expect(keys(await synths.listDetails())).toBe('cdba');
      expect(keys(await synths.search({ text: 'maria' }))).toBe('cdba');
      expect(keys(await synths.searchSummaries({ text: 'maria' }))).toBe('cdba');
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
        expect(keys(await synths.listSummaries(option))).toBe(expected);
        expect(keys(await synths.listDetails(option))).toBe(expected);
        expect(keys(await synths.search({ ...option, text: 'maria' }))).toBe(expected);
        expect(keys(await synths.searchSummaries({ ...option, text: 'maria' }))).toBe(expected);
        expect(await synths.count(option)).toBe(expected.length);
      }
    }));

  test.each(['listSummaries', 'listDetails', 'searchSummaries'] as const)(
    '%s walks every synth once, equal times and microseconds included',
    (list) =>
      db.rollback(async ({ synths, em }) => {
        await em.execute(`insert into synths (id, nome, created_at)
          select 'syn_' || i, 'n', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
          from generate_series(1, 20) i`);

        const walked: string[] = [];
        let after: string | null = null;
        do {
          const { data, next }: Awaited<ReturnType<typeof synths.listSummaries>> = await synths[list]({
            after,
            limit: 3,
          });
          walked.push(...data.map(({ id }) => id));
          after = next;
        } while (after !== null);

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
      const ofGroup = (await synths.listSummaries({ group, limit: 1 })).next;
      const found = (await synths.searchSummaries({ text: 'maria', limit: 1 })).next;

      expect(keys(await synths.listDetails({ group, after: ofGroup }))).toBe('ba');
      expect(keys(await synths.searchSummaries({ text: 'maria', after: found }))).toBe('ba');
      for (const foreign of [
        () => synths.listSummaries({ after: ofGroup }),
        () => synths.listSummaries({ group: null, after: ofGroup }),
        () => synths.listSummaries({ group: 'grp_other', after: ofGroup }),
        () => synths.listSummaries({ after: found }),
        () => synths.searchSummaries({ after: found }),
        () => synths.searchSummaries({ text: 'mari', after: found }),
        () => synths.searchSummaries({ text: 'maria', group, after: found }),
        () => synths.searchSummaries({ text: 'maria', filters: { demografia: { idade: 42 } }, after: found }),
      ]) {
        await expect(foreign()).rejects.toBeInstanceOf(InvalidPageError);
      }
    }));

  test('every list refuses what is out of bounds', () =>
    db.rollback(async ({ synths }) => {
      for (const refused of [
        () => synths.pageSummaries({ limit: 201 }),
        () => synths.search({ offset: -1 }),
        () => synths.listSummaries({ limit: 0 }),
        () => synths.listDetails({ limit: 0.5 }),
        () => synths.searchSummaries({ after: 'x' }),
        // @ts-expect-error -- what a caller without types may send
        () => synths.search({ sortBy: 'data' }),
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
