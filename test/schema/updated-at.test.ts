import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment } from '../../src/entities.ts';
import { TestDatabase, aResearchExecution, anExperiment } from '../../src/testing/index.ts';
import { changingTables, type Changing } from './changing-tables.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

const past = '2020-02-03 04:05:06.789012+00';

/** Stores the row as one that last changed long ago. */
async function store(em: EntityManager, { table, stage }: Changing): Promise<void> {
  stage(em);
  await em.flush();
  em.clear();
  await em.execute(`update ${table} set updated_at = '${past}', created_at = '${past}'`);
}

async function times(em: EntityManager, { table }: Changing): Promise<{ created: string; updated: string }> {
  const rows = await em.execute<{ created: string; updated: string }[]>(
    `select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') as created,
       to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00') as updated from ${table}`,
  );
  return rows[0] ?? { created: '', updated: '' };
}

describe.each(changingTables)('updated_at of $table', (changing) => {
  const { table, key, column, value } = changing;

  test('is null until the row changes', () =>
    db.rollback(async ({ em }) => {
      changing.stage(em);
      await em.flush();

      expect(await times(em, changing)).toMatchObject({ updated: null });
    }));

  const sql = `update ${table} set ${column} = ${value} where ${key} = 'k'`;
  test.each<[string, (em: EntityManager) => Promise<unknown>]>([
    ['a flush', changing.flush],
    ['an upsert of a row that is there', changing.upsert],
    ['a bulk update', (em) => changing.nativeUpdate(em)],
    ['a query builder', changing.queryBuilder],
    ['plain SQL', (em) => em.execute(sql)],
  ])('moves with %s', (_, change) =>
    db.rollback(async ({ em }) => {
      await store(em, changing);

      await change(em);

      const { created, updated } = await times(em, changing);
      expect(created).toBe(past);
      expect(Math.abs(Date.parse(updated) - Date.now())).toBeLessThan(60_000);
      expect(await em.execute(`select count(*)::int from ${table} where ${key} = 'k'`)).toEqual([
        { count: 1 },
      ]);
    }),
  );

  test('moves again with the next change of one transaction', () =>
    db.rollback(async ({ em }) => {
      await store(em, changing);
      await em.execute(sql);
      const first = await times(em, changing);

      await em.execute(`update ${table} set created_at = now()`);

      expect((await times(em, changing)).updated > first.updated).toBe(true);
    }));

  test.each<[string, (em: EntityManager) => Promise<unknown>]>([
    [
      'a flush',
      async (em) => {
        await changing.flush(em);
        em.clear();
        await em.execute(`update ${table} set updated_at = '${past}'`);
        await changing.flush(em);
      },
    ],
    ['plain SQL', (em) => em.execute(`update ${table} set ${column} = ${column}`)],
  ])('stays when %s changes nothing', (_, change) =>
    db.rollback(async ({ em }) => {
      await store(em, changing);

      await change(em);

      expect(await times(em, changing)).toEqual({ created: past, updated: past });
    }),
  );

  test.each<[string, (em: EntityManager) => Promise<unknown>]>([
    ['a bulk update', (em) => changing.nativeUpdate(em, { updatedAt: new Date('2021-01-01T00:00:00.123Z') })],
    [
      'plain SQL',
      (em) => em.execute(sql.replace(' where', `, updated_at = '2021-01-01 00:00:00.123Z' where`)),
    ],
  ])('is kept as %s gives it', (_, change) =>
    db.rollback(async ({ em }) => {
      await store(em, changing);

      await change(em);

      expect(await times(em, changing)).toMatchObject({ updated: '2021-01-01 00:00:00.123000+00' });
    }),
  );
});

describe('times', () => {
  test('updated_at moves for each row of a batch', () =>
    db.rollback(async ({ em }) => {
      const rows = [anExperiment(em), anExperiment(em), anExperiment(em)];
      await em.flush();

      for (const row of rows) row.name = 'new';
      await em.flush();

      const unmoved = await em.execute('select from experiments where updated_at is null');
      expect(unmoved).toEqual([]);
      expect(rows.every(({ updatedAt }) => updatedAt instanceof Date)).toBe(true);
    }));

  test('a flush leaves the microseconds of a time that it does not change', () =>
    db.rollback(async ({ em }) => {
      const execution = aResearchExecution(em);
      await em.flush();
      await em.execute(`update research_executions set started_at = '${past}'`);
      await em.refresh(execution);

      execution.status = 'running';
      await em.flush();

      const kept = await em.execute(
        `select from research_executions where status = 'running' and started_at = '${past}'`,
      );
      expect(kept).toHaveLength(1);
      expect(execution.startedAt).toEqual(new Date('2020-02-03T04:05:06.789Z'));
    }));

  test('created_at is there as soon as the row is staged, and does not move', () =>
    db.rollback(async ({ em }) => {
      const experiment = anExperiment(em);
      const { createdAt } = experiment;
      await em.flush();

      experiment.name = 'new';
      await em.flush();

      expect(createdAt).toBeInstanceOf(Date);
      expect((await em.refresh(experiment))?.createdAt).toEqual(createdAt);
      expect(await em.count(Experiment, { createdAt })).toBe(1);
    }));
});
