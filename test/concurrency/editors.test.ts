import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Experiment } from '../../src/entities.ts';
import { ContentionError, type Database } from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { meeting, openWith, together } from './together.ts';

describe('two editors of the same rows', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openWith(db, 2);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  const stored = (): Promise<string[]> =>
    db.transact(async ({ em }) => Array.from({ length: 3 }, () => anExperiment(em).id));

  const current = (ids: readonly string[]): Promise<Experiment[]> =>
    db.transact(async ({ experiments }) => {
      const rows: Experiment[] = [];
      for (const id of ids) rows.push(await experiments.get(id));
      return rows;
    });

  /** Both load their rows before either changes one; what became of each. */
  function edit(rows: readonly (readonly string[])[]): Promise<unknown[]> {
    const loaded = meeting(rows.length);
    return together(rows.length, (editor) =>
      database
        .transact(async ({ experiments }) => {
          const mine: Experiment[] = [];
          for (const id of rows[editor] ?? []) mine.push(await experiments.get(id));
          await loaded();
          for (const experiment of mine) experiment.name = `edited by ${editor}`;
          return 'written';
        })
        .catch((error: unknown) => error),
    );
  }

  test('one wins with all of them, the other is told so', async () => {
    for (let round = 0; round < 10; round++) {
      const ids = await stored();

      const outcome = await edit([ids, ids.toReversed()]);

      const winner = outcome.indexOf('written');
      expect(outcome.filter((result) => result === 'written')).toHaveLength(1);
      expect(outcome[1 - winner]).toBeInstanceOf(ContentionError);
      for (const row of await current(ids)) {
        expect(row).toMatchObject({ name: `edited by ${winner}`, rowVersion: 2 });
      }
    }
  });

  test('nothing is lost where they share only some', async () => {
    for (let round = 0; round < 10; round++) {
      const [a = '', b = '', c = ''] = await stored();

      const outcome = await edit([
        [a, b],
        [c, b],
      ]);

      const winner = outcome.indexOf('written');
      expect(outcome.filter((result) => result === 'written')).toHaveLength(1);
      expect(outcome[1 - winner]).toBeInstanceOf(ContentionError);
      const kept = winner === 0 ? [2, 2, 1] : [1, 2, 2];
      expect((await current([a, b, c])).map(({ rowVersion }) => rowVersion)).toEqual(kept);
    }
  });

  test('an editor of three rows and one of a single one of them', async () => {
    for (let round = 0; round < 10; round++) {
      const ids = await stored();

      const outcome = await edit([ids, ids.slice(1, 2)]);

      expect(outcome.filter((result) => result === 'written')).toHaveLength(1);
      expect(outcome.filter((result) => result instanceof ContentionError)).toHaveLength(1);
      const [, shared] = await current(ids);
      expect(shared).toMatchObject({ name: `edited by ${outcome.indexOf('written')}`, rowVersion: 2 });
    }
  });

  test('both win with rows of their own', async () => {
    const ids = [...(await stored()), ...(await stored())];

    expect(await edit([ids.slice(0, 3), ids.slice(3)])).toEqual(['written', 'written']);
  });
});
