import { OptimisticLockError } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Experiment, ExperimentDocument, Exploration, InterviewGuide } from '../../src/entities.ts';
import { ContentionError } from '../../src/errors.ts';
import {
  TestDatabase,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from '../../src/testing/index.ts';
import { OutsideSession } from './outside-session.ts';

interface Versioned {
  table: string;
  key: string;
  stage: (em: EntityManager, key: string) => object;
  load: (em: EntityManager, key: string) => Promise<{ rowVersion: number }>;
  /** What an editor does to a row. */
  change: (editor: number) => object;
}

const experiments: Versioned = {
  table: 'experiments',
  key: 'id',
  stage: (em, id) => anExperiment(em, { id }),
  load: (em, id) => em.findOneOrFail(Experiment, id),
  change: (editor) => ({ description: `${editor}` }),
};
const guides: Versioned = {
  table: 'interview_guide',
  key: 'experiment_id',
  stage: (em, id) => anInterviewGuide(em, { experiment: anExperiment(em, { id }) }),
  load: (em, id) => em.findOneOrFail(InterviewGuide, id),
  change: (editor) => ({ questions: `${editor}` }),
};
const documents: Versioned = {
  table: 'experiment_documents',
  key: 'id',
  stage: (em, id) => anExperimentDocument(em, { id }),
  load: (em, id) => em.findOneOrFail(ExperimentDocument, id),
  change: (editor) => ({ markdownContent: `${editor}` }),
};
const explorations: Versioned = {
  table: 'explorations',
  key: 'id',
  stage: (em, id) => anExploration(em, { id }),
  load: (em, id) => em.findOneOrFail(Exploration, id),
  change: (editor) => ({ totalNodes: editor }),
};

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterEach(() => db.orm.em.execute('truncate experiments cascade'));
afterAll(() => db.drop());

/** Writes rows of the tables with these keys. */
function store(keys: string[], ...tables: Versioned[]): Promise<void> {
  return db.transact(async ({ em }) => {
    for (const { stage } of tables) for (const key of keys) stage(em, key);
  });
}

/** Has an editor load rows and change them, in this order, in one unit of work. */
function edit(editor: number, rows: [Versioned, string][]): Promise<void> {
  return db.transact(async ({ em }) => {
    for (const [{ load, change }, key] of rows) Object.assign(await load(em, key), change(editor));
  });
}

function stored({ load }: Versioned, keys: string[]): Promise<object[]> {
  const em = db.orm.em.fork();
  return Promise.all(keys.map((key) => load(em, key)));
}

/** Runs both into a lock on some row, so that each has loaded what the other is about to change, and then on. */
async function overlapping(
  locked: [Versioned, string][],
  ...edits: (() => Promise<void>)[]
): Promise<{ kept: number; refusal: unknown }> {
  const statements = locked.map(
    ([{ table, key }, value]) => `select from ${table} where ${key} = '${value}' for update`,
  );
  await using outside = await OutsideSession.holding(db, statements.join(';'));
  const running = Promise.allSettled(edits.map((run) => run()));
  await outside.waiting(2);
  await outside.release();
  const results = await running;
  const refusals = results.filter((result) => result.status === 'rejected');
  expect(refusals).toHaveLength(1);
  return {
    kept: results.findIndex(({ status }) => status === 'fulfilled') + 1,
    refusal: refusals[0]?.reason,
  };
}

describe.each([experiments, guides, documents, explorations])('versions of $table', (versioned) => {
  const { load, change } = versioned;
  const row = (key: string): [Versioned, string] => [versioned, key];
  const remove = (keys: string[]): Promise<void> =>
    db.transact(async ({ em }) => {
      for (const key of keys) em.remove(await load(em, key));
    });
  const keysLeft = async (): Promise<string[]> => {
    const rows = await db.orm.em.execute<{ key: string }[]>(
      `select ${versioned.key} as key from ${versioned.table} order by 1`,
    );
    return rows.map(({ key }) => key);
  };

  test('each flushed change raises the version by one; a flush without a change does not', async () => {
    await store(['a'], versioned);

    await edit(1, [row('a')]);
    await edit(2, [row('a')]);
    await edit(2, [row('a')]);

    expect(await stored(versioned, ['a'])).toMatchObject([{ ...change(2), rowVersion: 3 }]);
  });

  test('the second of two editors of one row is refused', async () => {
    await store(['a'], versioned);

    const second = db.transact(async ({ em }) => {
      const loaded = await load(em, 'a');
      await edit(1, [row('a')]);
      Object.assign(loaded, change(2));
    });

    await expect(second).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(versioned, ['a'])).toMatchObject([{ ...change(1), rowVersion: 2 }]);
  });

  test('the second of two editors of many rows is refused', async () => {
    await store(['a', 'b', 'c'], versioned);

    const second = db.transact(async ({ em }) => {
      const loaded = [await load(em, 'a'), await load(em, 'b'), await load(em, 'c')];
      await edit(1, [row('c')]);
      for (const one of loaded) Object.assign(one, change(2));
    });

    await expect(second).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(versioned, ['a', 'b', 'c'])).toMatchObject([
      { rowVersion: 1 },
      { rowVersion: 1 },
      { ...change(1), rowVersion: 2 },
    ]);
  });

  test.each([
    ['the same order', ['a', 'b', 'c']],
    ['opposite orders', ['c', 'b', 'a']],
  ])('of two overlapping flushes of three rows, changed in %s, one is refused', async (_, second) => {
    await store(['a', 'b', 'c'], versioned);

    const { kept, refusal } = await overlapping(
      [row('b')],
      () => edit(1, ['a', 'b', 'c'].map(row)),
      () => edit(2, second.map(row)),
    );

    expect(refusal).toBeInstanceOf(ContentionError);
    expect(refusal).toHaveProperty('cause', expect.any(OptimisticLockError));
    expect(await stored(versioned, ['a', 'b', 'c'])).toMatchObject(
      ['a', 'b', 'c'].map(() => ({ ...change(kept), rowVersion: 2 })),
    );
  });

  test('a flush that is refused for one row changes none of its others', async () => {
    await store(['a', 'b', 'c'], versioned);

    const { kept } = await overlapping(
      [row('b')],
      () => edit(1, [row('a'), row('b')]),
      () => edit(2, [row('b'), row('c')]),
    );

    const changed = { ...change(kept), rowVersion: 2 };
    const [a, c] = kept === 1 ? [changed, { rowVersion: 1 }] : [{ rowVersion: 1 }, changed];
    expect(await stored(versioned, ['a', 'b', 'c'])).toMatchObject([a, changed, c]);
  });

  test.each([1, 3])('who removes %i rows is refused if another changed one of them', async (count) => {
    const keys = ['a', 'b', 'c'].slice(0, count);
    await store(keys, versioned);

    const removing = db.transact(async ({ em }) => {
      for (const key of keys) em.remove(await load(em, key));
      await edit(1, [row('a')]);
    });

    await expect(removing).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(versioned, keys)).toMatchObject(
      keys.map((key) => (key === 'a' ? { ...change(1), rowVersion: 2 } : { rowVersion: 1 })),
    );
  });

  test('who removes a row that another removed meanwhile is refused', async () => {
    await store(['a', 'b'], versioned);

    const second = db.transact(async ({ em }) => {
      em.remove(await load(em, 'a'));
      Object.assign(await load(em, 'b'), change(2));
      await remove(['a']);
    });

    await expect(second).rejects.toBeInstanceOf(ContentionError);
    expect(await stored(versioned, ['b'])).toMatchObject([{ rowVersion: 1 }]);
  });

  test('of an overlapping change and removal one is refused', async () => {
    await store(['a'], versioned);

    const { kept, refusal } = await overlapping(
      [row('a')],
      () => edit(1, [row('a')]),
      () => remove(['a']),
    );

    expect(refusal).toBeInstanceOf(ContentionError);
    expect(await keysLeft()).toEqual(kept === 1 ? ['a'] : []);
  });

  test('what nobody else changed is removed, changed before by the same unit of work or not', async () => {
    await store(['a', 'b', 'c'], versioned);

    await db.transact(async (uow) => {
      const changed = await load(uow.em, 'a');
      Object.assign(changed, change(1));
      await uow.flush();
      Object.assign(changed, change(2));
      uow.em.remove(changed);
      uow.em.remove(await load(uow.em, 'b'));
    });

    expect(await keysLeft()).toEqual(['c']);
  });

  test('several rows are not changed outside a transaction, where their versions could not be guarded', async () => {
    await store(['a', 'b'], versioned);

    const em = db.orm.em.fork();
    for (const key of ['a', 'b']) Object.assign(await load(em, key), change(1));

    await expect(em.flush()).rejects.toThrow('transact');
    expect(await stored(versioned, ['a', 'b'])).toMatchObject([{ rowVersion: 1 }, { rowVersion: 1 }]);
  });
});

const both = (versioned: Versioned): [Versioned, string][] => [
  [versioned, 'a'],
  [versioned, 'b'],
];

describe('versions of several tables', () => {
  test('a row of which nothing was seen is removed, whatever its version', async () => {
    await store(['a'], experiments);
    await edit(1, [[experiments, 'a']]);

    await db.transact(async ({ em }) => void em.remove(em.getReference(Experiment, 'a')));

    expect(await db.orm.em.fork().count(Experiment)).toBe(0);
  });

  test('a removal of one and a change of another are refused for either', async () => {
    for (const changed of [experiments, documents]) {
      await store(['a', 'b'], experiments, documents);

      const flushing = db.transact(async ({ em }) => {
        em.remove(await experiments.load(em, 'a'));
        Object.assign(await documents.load(em, 'a'), documents.change(2));
        await edit(1, [[changed, 'a']]);
      });

      await expect(flushing).rejects.toBeInstanceOf(ContentionError);
      await db.orm.em.execute('truncate experiments cascade');
    }
  });

  test('two flushes that change them in opposite orders do not deadlock', async () => {
    await store(['a', 'b'], experiments);
    await db.transact(async ({ em }) => {
      for (const id of ['a', 'b'])
        anExperimentDocument(em, { id, experiment: await em.findOneOrFail(Experiment, id) });
    });

    const { refusal } = await overlapping(
      [
        [experiments, 'b'],
        [documents, 'b'],
      ],
      () => edit(1, [experiments, documents].flatMap(both)),
      () => edit(2, [documents, experiments].flatMap(both)),
    );

    expect(refusal).toHaveProperty('cause', expect.any(OptimisticLockError));
  });

  test.each([
    ['change', 'no key update', (row: object) => void Object.assign(row, { name: 'new' })],
    // Whoever writes a row that points at this one holds as much.
    ['removal', 'key share', (row: object, em: EntityManager) => void em.remove(row)],
  ])(
    'a %s of several rows locks them in the order of their keys, not of their storage',
    async (_, held, act) => {
      await store(['b'], experiments);
      await store(['a'], experiments);
      await using outside = await OutsideSession.holding(
        db,
        `select from experiments where id = 'a' for ${held}`,
      );

      const flushing = db.transact(async ({ em }) => {
        // The plan that reads them as they are stored.
        await em.execute('set local enable_indexscan = off; set local enable_bitmapscan = off');
        for (const id of ['a', 'b']) act(await em.findOneOrFail(Experiment, id), em);
      });
      await outside.waiting(1);

      await outside.execute(`select from experiments where id = 'b' for update nowait`);
      await outside.release();
      await expect(flushing).resolves.toBeUndefined();
    },
  );

  test('a flush of several does not keep others from writing rows that point at them', async () => {
    await store(['a', 'b'], experiments);

    const flushing = db.transact(async (uow) => {
      for (const id of ['a', 'b']) Object.assign(await uow.em.findOneOrFail(Experiment, id), { name: 'new' });
      await uow.flush();
      await db.transact(async ({ em }) => {
        await em.execute(`set local lock_timeout = '1s'`);
        anExperimentDocument(em, { experiment: em.getReference(Experiment, 'a') });
      });
    });

    await expect(flushing).resolves.toBeUndefined();
  });
});
