import { describe, expect, test } from 'vitest';
import { SynthGroup } from '../../src/entities.ts';
import { ProtectedRowError, type Database } from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

/** Deletes a group; its synths stay. */
async function deleteGroup(database: Database, id: string): Promise<void> {
  await database.transact(async ({ synthGroups }) => synthGroups.remove(await synthGroups.get(id)));
}

testWithFaults('deleting a group', {
  given({ em }) {
    const group = aSynthGroup(em);
    const synths = [aSynth(em, { synthGroup: group }), aSynth(em, { synthGroup: group })];
    return { id: group.id, synths: synths.map((synth) => synth.id) };
  },
  run: (database, { id }) => deleteGroup(database, id),
  async promises({ synthGroups, synths }, { id, synths: keys }) {
    expect(await synthGroups.find(id)).toBeNull();
    for (const key of keys) expect(await synths.getDetail(key)).toMatchObject({ synthGroupId: null });
  },
});

/** Stores a synth in the group of this name, which is made if need be. */
async function importSynth(database: Database, id: string, groupName: string): Promise<void> {
  await database.transact(async ({ synthGroups, synths }) => {
    const group = await synthGroups.ensureNamed(groupName);
    await synths.saveSynth({ id, name: 'Maria Souza', group: group.id });
  });
}

testWithFaults('getting or making a group', {
  given: () => ({ id: `syn_${crypto.randomUUID()}`, name: crypto.randomUUID() }),
  run: (database, { id, name }) => importSynth(database, id, name),
  async promises({ synthGroups, synths }, { id, name }) {
    const { synthGroupId } = await synths.getDetail(id);
    expect(await synthGroups.findSummary(synthGroupId ?? '')).toMatchObject({ name, synthCount: 1 });
  },
});

testWithFaults('storing a synth that is given no group', {
  async given({ em }) {
    await em.nativeDelete(SynthGroup, { id: 'grp_00000001' });
    return `syn_${crypto.randomUUID()}`;
  },
  run: (database, id) =>
    database.transact(({ synths }) => synths.saveSynth({ id, name: 'Maria Souza', description: null })),
  async promises({ synthGroups, synths }, id) {
    expect(await synths.getDetail(id)).toMatchObject({ synthGroupId: 'grp_00000001' });
    expect(await synthGroups.findSummary('grp_00000001')).toMatchObject({ name: 'Default' });
  },
});

describe('groups', () => {
  test('of one name that many ask for at once are one', async () => {
    await using db = await TestDatabase.create();

    await Promise.all(Array.from({ length: 8 }, (_, n) => importSynth(db, `syn_${n}`, 'Shoppers')));

    const { data } = await db.read(({ synthGroups }) => synthGroups.pageSummaries());
    expect(data).toMatchObject([{ name: 'Shoppers', synthCount: 8 }]);
  });

  test('that is the default one is not deleted', async () => {
    await using db = await TestDatabase.create();
    await db.transact(({ synthGroups }) => synthGroups.ensureDefault());

    await expect(deleteGroup(db, 'grp_00000001')).rejects.toBeInstanceOf(ProtectedRowError);

    expect(await db.read(({ synthGroups }) => synthGroups.find('grp_00000001'))).not.toBeNull();
  });
});
