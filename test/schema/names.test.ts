import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { logTable } from './contents.ts';
import { foreignKeys, indexes } from './names.ts';
import { insertBareRows } from './rows.ts';

const uniqueConstraints = [
  'uq_analysis_runs_experiment_id',
  'uq_synth_outcomes_analysis_synth',
  'uq_transcripts_exec_synth',
  'uq_chart_insights_sim_type',
  'uq_experiment_documents_exp_type',
];

describe('names of indexes and constraints', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test.each(Object.entries(indexes))('%s has the indexes that it should', async (table, expected) => {
    const rows = await db.orm.em.execute<{ definition: string }[]>(
      'select indexdef as definition from pg_indexes where schemaname = ? and tablename = ?',
      ['public', table],
    );

    const found = rows.map(({ definition }) =>
      definition.replace(
        /^CREATE (UNIQUE )?INDEX (\w+) ON public\.\w+ USING (\w+)/,
        (_, unique, name, method) =>
          [unique && 'unique', name, method !== 'btree' && `using ${method}`].filter(Boolean).join(' '),
      ),
    );
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  test('no table with an index is without its list', async () => {
    const rows = await db.orm.em.execute<{ name: string }[]>(
      `select distinct tablename as name from pg_indexes where schemaname = 'public'`,
    );

    const tables = rows.map(({ name }) => name).filter((name) => name !== logTable);
    expect(tables.toSorted()).toEqual(Object.keys(indexes).toSorted());
  });

  test('there are the foreign keys that there should be, each with its rule for deletion', async () => {
    const rows = await db.orm.em.execute<{ name: string; definition: string }[]>(
      `select conname as name, format('%s.%s', conrelid::regclass, pg_get_constraintdef(oid)) as definition
       from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    );

    const found = rows.map(({ name, definition }) => [
      name,
      definition.replace(/FOREIGN KEY \((\w+)\) REFERENCES (\w+)\(\w+\) ON DELETE/, '$1 → $2'),
    ]);
    expect(Object.fromEntries(found)).toEqual(foreignKeys);
  });

  test('each foreign key is led by an index of its own columns', async () => {
    const unindexed = await db.orm.em.execute(
      `select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
         select from pg_index where indrelid = conrelid and indisvalid and indpred is null
           and (indkey::int2[])[0:cardinality(conkey) - 1] = conkey)`,
    );

    expect(unindexed).toEqual([]);
  });

  test.each(uniqueConstraints)('a duplicate is refused by %s', (constraint) =>
    db.rollback(async ({ em }) => {
      await insertBareRows(em);
      const [{ table } = { table: '' }] = await em.execute<{ table: string }[]>(
        'select conrelid::regclass as "table" from pg_constraint where conname = ?',
        [constraint],
      );

      const duplicate = em.execute(
        `insert into ${table} select (jsonb_populate_record(t, '{"id": "another"}')).* from ${table} t`,
      );

      await expect(duplicate).rejects.toMatchObject({ cause: { code: '23505' }, constraint });
    }),
  );
});
