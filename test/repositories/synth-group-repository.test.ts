import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSynthGroup } from '../../src/entities.ts';
import {
  DuplicateError,
  InvalidPageError,
  InvalidValueError,
  ProtectedRowError,
  type EntityManager,
} from '../../src/index.ts';
import { TestDatabase, aSynth, aSynthGroup } from '../../src/testing/index.ts';
import { walk } from './walk.ts';

describe('SynthGroupRepository', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('findSummary tells how many synths a group has, and those of no other', () =>
    db.rollback(async ({ synthGroups, em }) => {
      const [group, other] = [aSynthGroup(em), aSynthGroup(em)];
      for (const synthGroup of [group, group, other, null]) aSynth(em, { synthGroup });

      expect(await synthGroups.findSummary(group.id)).toMatchObject({ id: group.id, synthCount: 2 });
    }));

  test('findSummary and findDetail give null for a group that does not exist', () =>
    db.rollback(async ({ synthGroups, em }) => {
      aSynthGroup(em);

      expect(await synthGroups.findSummary('grp_missing')).toBeNull();
      expect(await synthGroups.findDetail('grp_missing')).toBeNull();
    }));

  test('a summary and a detail have these fields and no others', () =>
    db.rollback(async ({ synthGroups, em }) => {
      const { id } = aSynthGroup(em, { description: 'd', createdAt: at(1) });
      const bare = aSynthGroup(em);
      aSynth(em, { synthGroup: id, createdAt: at(2), description: 'd', linkPhoto: 'l', avatarPath: 'a' });
      const summary = {
        id,
        name: 'Grocery shoppers',
        description: 'd',
        synthCount: 1,
        createdAt: at(1),
      };

      expect(await synthGroups.findSummary(id)).toEqual(summary);
      expect(await synthGroups.findDetail(id)).toEqual({
        ...summary,
        synths: {
          data: [
            {
              id: expect.any(String),
              synthGroupId: id,
              name: 'Maria Souza',
              description: 'd',
              linkPhoto: 'l',
              avatarPath: 'a',
              createdAt: at(2),
              version: '2.0.0',
            },
          ],
          pagination: { endCursor: expect.any(String), hasNextPage: false },
        },
      });
      expect(await synthGroups.findDetail(bare.id)).toEqual({
        id: bare.id,
        name: 'Grocery shoppers',
        description: null,
        synthCount: 0,
        createdAt: expect.any(Date),
        synths: { data: [], pagination: { endCursor: null, hasNextPage: false } },
      });
    }));

  test('findDetail gives the synths of the group alone, newest first, and by key where times are equal', () =>
    db.rollback(async ({ synthGroups, em }) => {
      const { id } = aSynthGroup(em);
      const other = aSynthGroup(em);
      for (const [key, second] of shuffled) {
        aSynth(em, { id: `syn_${key}`, synthGroup: id, createdAt: at(second) });
      }
      aSynth(em, { synthGroup: other, createdAt: at(3) });
      aSynth(em, { createdAt: at(3) });

      const detail = await synthGroups.findDetail(id);

      expect(detail?.synths.data.map((synth) => synth.id.slice(4)).join('')).toBe('cdba');
      expect(detail?.synthCount).toBe(4);
    }));

  test('findDetail walks the synths of a group by cursor, and its cursors continue in the list of synths', () =>
    db.rollback(async ({ synthGroups, synths, em }) => {
      const { id } = aSynthGroup(em);
      for (const [key, second] of [
        ['b', 1],
        ['a', 2],
        ['c', 1],
        ['d', 1],
        ['e', 0],
      ] as const) {
        aSynth(em, { id: `syn_${key}`, synthGroup: id, createdAt: at(second) });
      }

      const first = await synthGroups.findDetail(id, { first: 2 });
      const second = await synthGroups.findDetail(id, {
        first: 3,
        after: first?.synths.pagination.endCursor,
      });
      const same = await synths.scrollSummaries({
        group: id,
        first: 3,
        after: first?.synths.pagination.endCursor,
      });

      const keysOf = (detail: typeof first) => detail?.synths.data.map((synth) => synth.id.slice(4)).join('');
      expect(keysOf(first)).toBe('ad');
      expect(keysOf(second)).toBe('cbe');
      expect(second).toMatchObject({ synthCount: 5, synths: { pagination: { hasNextPage: false } } });
      expect(same).toEqual(second?.synths);
    }));

  test("findDetail refuses another group's cursor", () =>
    db.rollback(async ({ synthGroups, em }) => {
      const [group, other] = [aSynthGroup(em), aSynthGroup(em)];
      for (const synthGroup of [group, group, other, other]) aSynth(em, { synthGroup });
      const detail = await synthGroups.findDetail(group.id, { first: 1 });

      await expect(
        synthGroups.findDetail(other.id, { after: detail?.synths.pagination.endCursor }),
      ).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test('pageSummaries orders by what is asked for, and by key where that is equal', () =>
    db.rollback(async ({ synthGroups, em }) => {
      for (const [key, second] of shuffled) {
        aSynthGroup(em, { id: `grp_${key}`, createdAt: at(second), name: second === 2 ? 'A' : 'B' });
      }

      const ids = async (request: Parameters<typeof synthGroups.pageSummaries>[0]): Promise<string> =>
        (await synthGroups.pageSummaries(request)).data.map(({ id }) => id.slice(4)).join('');

      expect(await ids({})).toBe('cdba');
      expect(await ids({ sortOrder: 'asc' })).toBe('abdc');
      expect(await ids({ sortBy: 'name' })).toBe('dbac');
      expect(await ids({ sortBy: 'name', sortOrder: 'asc' })).toBe('cabd');
      expect(await ids({ limit: 2, offset: 1 })).toBe('db');
    }));

  test('pageSummaries counts synths and groups, past the end too', () =>
    db.rollback(async ({ synthGroups, em }) => {
      const [empty, full] = [aSynthGroup(em, { createdAt: at(1) }), aSynthGroup(em, { createdAt: at(2) })];
      for (const synthGroup of [full, full, null]) aSynth(em, { synthGroup });

      const { data, pagination } = await synthGroups.pageSummaries();
      const past = await synthGroups.pageSummaries({ offset: 2, limit: 1 });

      expect(data).toMatchObject([
        { id: full.id, synthCount: 2 },
        { id: empty.id, synthCount: 0 },
      ]);
      expect(pagination).toEqual({ total: 2, limit: 50, offset: 0, hasNext: false });
      expect(past).toEqual({ data: [], pagination: { total: 2, limit: 1, offset: 2, hasNext: false } });
    }));

  test('scrollSummaries orders newest first, and by key where times are equal', () =>
    db.rollback(async ({ synthGroups, em }) => {
      for (const [key, second] of shuffled) aSynthGroup(em, { id: key, createdAt: at(second) });
      // So few rows come from the index, in its order, whatever order is asked for.
      await em.execute('set local enable_indexscan = off');

      const { data, pagination } = await synthGroups.scrollSummaries();

      expect(data.map(({ id }) => id).join('')).toBe('cdba');
      expect(pagination.hasNextPage).toBe(false);
    }));

  test('scrollSummaries walks every group once, equal times and microseconds included', () =>
    db.rollback(async ({ synthGroups, em }) => {
      await em.execute(`insert into synth_groups (id, name, created_at)
        select 'grp_' || i, 'n', timestamptz '2026-01-01 00:00:00Z' + (i / 3) * interval '1 microsecond'
        from generate_series(1, 20) i`);

      const found = await walk((after) => synthGroups.scrollSummaries({ after, first: 3 }));
      const walked = found.map(({ id }) => id);

      const all = await em.execute<{ id: string }[]>(
        'select id from synth_groups order by created_at desc, id desc',
      );
      expect(walked).toEqual(all.map(({ id }) => id));
    }));

  test('pageSummaries and scrollSummaries refuse what is out of bounds', () =>
    db.rollback(async ({ synthGroups }) => {
      await expect(synthGroups.pageSummaries({ limit: 201 })).rejects.toBeInstanceOf(InvalidPageError);
      await expect(synthGroups.scrollSummaries({ first: 0 })).rejects.toBeInstanceOf(InvalidPageError);
      await expect(synthGroups.scrollSummaries({ after: 'x' })).rejects.toBeInstanceOf(InvalidPageError);
      await expect(synthGroups.findDetail('grp', { first: 0 })).rejects.toBeInstanceOf(InvalidPageError);
      // @ts-expect-error -- what a caller without types may send
      await expect(synthGroups.pageSummaries({ sortBy: 'id' })).rejects.toBeInstanceOf(InvalidPageError);
    }));

  test('add refuses a key that exists and a blank name, by their constraints', () =>
    db.rollback(async (uow) => {
      const { id } = aSynthGroup(uow.em);
      await uow.flush();

      const twice = uow.transact(async ({ em }) => {
        await em.execute('insert into synth_groups (id, name) values (?, ?)', [id, 'again']);
      });
      await expect(twice).rejects.toMatchObject({ constraint: 'synth_groups_pkey' });
      await expect(twice).rejects.toBeInstanceOf(DuplicateError);
      const blank = uow.transact(async ({ synthGroups }) => void synthGroups.add({ name: ' ' }));
      await expect(blank).rejects.toBeInstanceOf(InvalidValueError);
    }));

  test('ensureDefault makes the default group, and then finds it as it is', () =>
    db.rollback(async ({ synthGroups, em }) => {
      const made = await synthGroups.ensureDefault();
      expect(made).toMatchObject({ ...defaultSynthGroup, createdAt: expect.any(Date) });

      made.name = 'Renamed';
      const found = await synthGroups.ensureDefault();

      expect(found).toBe(made);
      expect(await em.execute('select id, name from synth_groups')).toEqual([
        { id: defaultSynthGroup.id, name: 'Renamed' },
      ]);
    }));

  test('fifty who want the default group at once get one, and no error', async () => {
    await using own = await TestDatabase.create();

    const groups = await Promise.all(
      Array.from({ length: 50 }, () => own.transact(({ synthGroups }) => synthGroups.ensureDefault())),
    );

    expect(groups.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, () => defaultSynthGroup.id));
    const { pagination } = await own.read(({ synthGroups }) => synthGroups.pageSummaries());
    expect(pagination.total).toBe(1);
  });

  test('whoever waits for the default group of a transaction that fails makes it', async () => {
    await using own = await TestDatabase.create();
    const made = Promise.withResolvers<void>();
    const fail = Promise.withResolvers<void>();

    const failing = own.transact(async ({ synthGroups }) => {
      await synthGroups.ensureDefault();
      made.resolve();
      await fail.promise;
      throw new Error('on purpose');
    });
    await made.promise;
    const waiting = own.transact(({ synthGroups }) => synthGroups.ensureDefault());
    fail.resolve();

    await expect(failing).rejects.toThrow('on purpose');
    expect((await waiting).id).toBe(defaultSynthGroup.id);
    expect(await own.read(({ synthGroups }) => synthGroups.find(defaultSynthGroup.id))).not.toBeNull();
  });

  test('ensureNamed gives the oldest group of exactly that name, or makes one', () =>
    db.rollback(async ({ synthGroups, em }) => {
      for (const [key, second] of shuffled) {
        aSynthGroup(em, { id: `grp_${key}`, createdAt: at(second), name: 'Shoppers' });
      }

      expect((await synthGroups.ensureNamed('Shoppers')).id).toBe('grp_a');
      const lower = await synthGroups.ensureNamed('shoppers', 'd');
      expect(lower).toMatchObject({ name: 'shoppers', description: 'd' });
      expect(await synthGroups.ensureNamed('shoppers')).toBe(lower);
      expect((await synthGroups.pageSummaries()).pagination.total).toBe(5);
    }));

  test('whoever wants a group of a name that another is making waits, and gets the same', async () => {
    await using own = await TestDatabase.create();

    let second: Promise<string> | undefined;
    const settled = new Set<string>();
    const first = await own.transact(async ({ synthGroups, em }) => {
      const { id } = await synthGroups.ensureNamed('Shoppers');
      second = own.transact(async (other) => (await other.synthGroups.ensureNamed('Shoppers')).id);
      void second.finally(() => settled.add('second'));
      const other = await own.transact(async (uow) => (await uow.synthGroups.ensureNamed('Others')).id);
      expect(other).not.toBe(id);
      // Until the other one waits for this transaction.
      for (let waiting = false; !waiting && settled.size === 0;) waiting = await waits(em);
      expect(settled.size).toBe(0);
      return id;
    });

    expect(await second).toBe(first);
    const { pagination } = await own.read(({ synthGroups }) => synthGroups.pageSummaries());
    expect(pagination.total).toBe(2);
  });

  test('remove leaves the synths, without a group, loaded or not', () =>
    db.rollback(async (uow) => {
      const { synthGroups, synths, em } = uow;
      const [group, other] = [aSynthGroup(em), aSynthGroup(em)];
      const [loaded, kept] = [aSynth(em, { synthGroup: group }), aSynth(em, { synthGroup: other })];
      await uow.flush();
      await em.execute(`insert into synths (id, synth_group_id, nome) values ('syn_2', ?, 'n')`, [group.id]);

      synthGroups.remove(group);

      expect(await synthGroups.findSummary(group.id)).toBeNull();
      expect((await synths.getDetail(loaded.id)).synthGroupId).toBeNull();
      expect((await synths.getDetail('syn_2')).synthGroupId).toBeNull();
      expect((await synths.getDetail(kept.id)).synthGroupId).toBe(other.id);
      loaded.name = 'still here';
      expect((await synths.getDetail(loaded.id)).name).toBe('still here');
    }));

  test('remove refuses the default group, which stays', () =>
    db.rollback(async ({ synthGroups }) => {
      const group = await synthGroups.ensureDefault();

      expect(() => synthGroups.remove(group)).toThrow(ProtectedRowError);
      expect(() => synthGroups.remove(group)).toThrow(
        expect.objectContaining({ code: 'protected_row', entity: 'SynthGroup', key: defaultSynthGroup.id }),
      );
      expect(await synthGroups.findSummary(defaultSynthGroup.id)).not.toBeNull();
    }));
});

// Keys and seconds in an order that is neither that of the keys nor that of the times.
const shuffled = [
  ['b', 1],
  ['c', 2],
  ['a', 1],
  ['d', 1],
] as const;

/** Whether somebody waits for an advisory lock in this database. */
async function waits(em: EntityManager): Promise<boolean> {
  const waiting = await em.execute<unknown[]>(
    `select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`,
  );
  return waiting.length > 0;
}

function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
