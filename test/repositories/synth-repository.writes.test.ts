import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSynthGroup } from '../../src/entities.ts';
import { DanglingReferenceError, InvalidJsonError, NotFoundError } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { at, observables } from './some-synths.ts';

describe('SynthRepository, writes', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('store puts a new synth into the default group, which it makes', () =>
    db.rollback(async ({ synths, synthGroups }) => {
      await synths.saveSynth({ id: 'abc123', name: 'Ana' });

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

      await synths.saveSynth({ id: 'a', name: 'Ana', group, createdAt: at(1) });
      await synths.saveSynth({ id: 'b', name: 'Bia', group: null });

      expect(await synths.getDetail('a')).toMatchObject({ synthGroupId: group, createdAt: at(1) });
      expect(await synths.getDetail('b')).toMatchObject({ synthGroupId: null });
      expect(await synthGroups.find(defaultSynthGroup.id)).toBeNull();
    }));

  test('store replaces what is given in a known synth, but for when it was made', () =>
    db.rollback(async ({ synths, em }) => {
      const [old, group] = [aSynthGroup(em), aSynthGroup(em).id];
      const other = aSynth(em, { id: 'b', createdAt: at(1) });
      aSynth(em, { id: 'a', synthGroup: old, createdAt: at(1) });

      await synths.saveSynth({
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

      await synths.saveSynth({ id: 'kept', name: 'Ana', description: undefined });
      await synths.saveSynth({
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

      await synths.saveSynth({ id: 'a', name: 'stored', data: { demografia: { idade: 1 } } });

      expect(synth).toMatchObject({
        name: 'stored',
        description: 'staged',
        version: '1',
        data: { demografia: { idade: 1 } },
      });
    }));

  test('store refuses data out of shape before anything is sent, and a group that does not exist', () =>
    db.rollback(async (uow) => {
      const invalid = uow.synths.saveSynth({
        id: 'a',
        name: 'Ana',
        data: { observables: { ...observables, motor_ability: 2 } },
      });
      await expect(invalid).rejects.toBeInstanceOf(InvalidJsonError);
      expect(await uow.synthGroups.find(defaultSynthGroup.id)).toBeNull();

      const dangling = uow.transact(({ synths }) =>
        synths.saveSynth({ id: 'a', name: 'Ana', group: 'grp_x' }),
      );
      await expect(dangling).rejects.toBeInstanceOf(DanglingReferenceError);
      await expect(dangling).rejects.toMatchObject({ constraint: 'fk_synths_synth_group_id' });
    }));

  test('fifty who store one new synth at once leave one, in one default group', async () => {
    await using own = await TestDatabase.create();

    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        own.transact(({ synths }) => synths.saveSynth({ id: 'abc123', name: `Ana ${i}` })),
      ),
    );

    await own.read(async ({ synths, synthGroups }) => {
      expect(await synths.count()).toBe(1);
      expect((await synths.getDetail('abc123')).name).toMatch(/^Ana \d+$/);
      expect((await synthGroups.pageSummaries()).data).toMatchObject([
        { id: defaultSynthGroup.id, synthCount: 1 },
      ]);
    });
  });

  test('saveAvatarPath sets and clears the path of that synth, in a loaded one too', () =>
    db.rollback(async ({ synths, em }) => {
      const [synth, other] = [aSynth(em, { description: 'kept' }), aSynth(em)];

      await synths.saveAvatarPath(synth.id, 'a.png');
      expect(synth).toMatchObject({ avatarPath: 'a.png', description: 'kept' });
      expect(await synths.getAvatarPath(synth.id)).toBe('a.png');
      expect(await synths.getAvatarPath(other.id)).toBeNull();
      await synths.saveAvatarPath(synth.id, null);
      expect(await synths.getAvatarPath(synth.id)).toBeNull();
    }));

  test('saveAvatarPath refuses a synth that does not exist', () =>
    db.rollback(async ({ synths }) => {
      await expect(synths.saveAvatarPath('syn_missing', 'a.png')).rejects.toBeInstanceOf(NotFoundError);
    }));
});
