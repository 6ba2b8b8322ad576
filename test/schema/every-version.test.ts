import { wrap } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContentionError } from '../../src/errors.ts';
import { ResearchExecution } from '../../src/entities.ts';
import {
  TestDatabase,
  aFeatureScorecard,
  aResearchExecution,
  anExperiment,
} from '../../src/testing/index.ts';
import { changeable } from '../concurrency/histories/factories.ts';
import { changed, changedInSql, trackedOf } from '../concurrency/histories/row-state.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

describe.each(changeable)('versions of %s', (_, factory) => {
  /** Stores three rows, and gives how to change them. */
  async function stored() {
    const rows = await db.transact(async ({ em }) => [factory(em), factory(em), factory(em)]);
    const [first = {}] = rows;
    const { __meta: meta } = wrap(first, true);
    const [tracked] = trackedOf(meta, first);
    if (!tracked) throw new Error('the row has nothing to change');
    const [set, value] = changedInSql(tracked, 1);
    const { tableName: table } = meta;
    const load = (em: EntityManager): Promise<Record<string, unknown>[]> =>
      Promise.all(
        rows.map(async (row) => {
          const where = Object.fromEntries(meta.primaryKeys.map((name) => [name, row[name]]));
          return em.findOneOrFail<Record<string, unknown>>(meta.class, where);
        }),
      );
    return {
      table,
      column: tracked.column,
      raise: `update "${table}" set "${tracked.column}" = ${set}`,
      value,
      load,
      versions: async () => (await load(db.orm.em.fork())).map(({ rowVersion }) => rowVersion),
      edit: (row: Record<string, unknown> | undefined, token: number) => {
        if (row) row[tracked.property] = changed(tracked.kind, row[tracked.property], token);
      },
    };
  }

  test('are raised once by plain SQL that changes the rows, whether it raises them or not', async () => {
    const { raise, value, versions, column, table } = await stored();

    await db.transact(({ em }) => em.execute(raise, [value]));
    expect(await versions()).toEqual([2, 2, 2]);
    await db.transact(({ em }) => em.execute(`${raise}, row_version = row_version + 1`, [value]));
    expect(await versions()).toEqual([3, 3, 3]);
    await db.transact(({ em }) => em.execute(`update "${table}" set "${column}" = "${column}"`));
    expect(await versions()).toEqual([3, 3, 3]);
  });

  test.each([1, 3])('refuse the second of two editors of %i rows', async (count) => {
    const { load, edit, versions } = await stored();
    const change = async (em: EntityManager, token: number): Promise<void> => {
      for (const row of (await load(em)).slice(0, count)) edit(row, token);
    };

    const second = db.transact(async ({ em }) => {
      await change(em, 1);
      await db.transact((uow) => change(uow.em, 2));
    });

    await expect(second).rejects.toBeInstanceOf(ContentionError);
    expect(await versions()).toEqual([1, 1, 1].map((version, index) => version + Number(index < count)));
  });

  test('refuse to remove a row that another changed', async () => {
    const { load, edit } = await stored();

    const removal = db.transact(async ({ em }) => {
      const [row = {}] = await load(em);
      em.remove(row);
      await db.transact(async (uow) => edit((await load(uow.em))[0], 1));
    });

    await expect(removal).rejects.toBeInstanceOf(ContentionError);
  });
});

test('a foreign key that is set to NULL raises the version, in the rows that are loaded too', async () => {
  const [execution, scorecard] = await db.transact(async (uow) => {
    const experiment = anExperiment(uow.em);
    const rows = [
      aResearchExecution(uow.em, { experiment }),
      aFeatureScorecard(uow.em, { experiment }),
    ] as const;
    await uow.flush();
    uow.experiments.remove(experiment);
    await uow.flush();
    rows[0].topicName = 'changed after';
    return rows;
  });

  const em = db.orm.em.fork();
  expect(await em.findOneOrFail(ResearchExecution, execution.id)).toMatchObject({ rowVersion: 3 });
  expect(scorecard.rowVersion).toBe(2);
});
