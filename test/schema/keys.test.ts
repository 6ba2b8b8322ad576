import { readFile } from 'node:fs/promises';
import { ReferenceKind } from '@mikro-orm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSynthGroup } from '../../src/entities.ts';
import { TestDatabase, aSynthGroup } from '../../src/testing/index.ts';
import { factories } from '../concurrency/histories/factories.ts';
import { tables } from './tables.ts';

// Of the tables that the old system had: the prefix of new keys, and keys as it has them.
const old: Readonly<Record<string, readonly [prefix: string, ...keys: string[]]>> = {
  experiments: ['exp', 'exp_a1b2c3d4'],
  analysis_runs: ['ana', 'ana_a1b2c3d4'],
  synth_outcomes: ['out', 'out_a1b2c3d4', 'ana_a1b2c3d4_x1y2z3', 'out_a1b2c3d4e5f6'],
  synth_groups: ['grp', 'grp_a1b2c3d4', 'grp_00000001'],
  synths: ['syn', 'x1y2z3'],
  explorations: ['expl', 'expl_a1b2c3d4'],
  scenario_nodes: ['node', 'node_a1b2c3d4'],
  experiment_documents: ['doc', 'doc_a1b2c3d4'],
  chart_insights: ['ins', 'ins_a1b2c3d4e5f6'],
  sensitivity_results: ['sens', 'sens_a1b2c3d4e5f6'],
  region_analyses: ['region', 'region_a1b2c3d4'],
  research_executions: [
    'exec',
    'batch_exp_exp_a1b2c3d4_20260102_030405',
    'batch_exp_exp_a1b2c3d4_auto_20260102_030405',
  ],
  transcripts: ['trn', '7d444840-9dc0-41d1-b245-5ffdce74fad2'],
  feature_scorecards: ['card', 'A1b2C3d4'],
  simulation_runs: ['sim', 'sim_A1b2C3d4'],
};

// Every table whose key is a column of its own. The others have the keys of their parents.
const minted = factories.flatMap(([name, factory]) => {
  const meta = tables.find(({ className }) => className === name);
  const [key, ...others] = meta?.getPrimaryProps() ?? [];
  if (!meta || key?.kind !== ReferenceKind.SCALAR || others.length > 0) return [];
  const [column = ''] = key.fieldNames;
  const [prefix, ...oldKeys] = old[meta.tableName] ?? [null];
  return [{ table: meta.tableName, column, property: key.name, prefix, oldKeys, factory }];
});

const uuid7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

describe('keys', () => {
  let db: TestDatabase;
  beforeAll(async () => void (db = await TestDatabase.create()));
  afterAll(() => db.drop());

  test.each(minted)(
    'a row of $table without one is given one as soon as it is staged',
    ({ factory, property, prefix }) =>
      db.rollback(async ({ em }) => {
        const row = factory(em);

        expect(row[property]).toMatch(new RegExp(`^${prefix ?? '[a-z]+'}_${uuid7}$`));
      }),
  );

  test('every table has a prefix that no other has', () =>
    db.rollback(async ({ em }) => {
      const prefixes = minted.map(({ factory, property }) => String(factory(em)[property]).split('_')[0]);

      expect(new Set(prefixes).size).toBe(minted.length);
      expect(minted.map(({ table }) => table)).toEqual(expect.arrayContaining(Object.keys(old)));
    }));

  test.each(minted)(
    '$table takes keys of old formats, and of any length',
    ({ table, column, property, oldKeys, factory }) =>
      db.rollback(async ({ em }) => {
        const keys = ['of an old format', ...oldKeys, 'k'.repeat(500)];

        for (const key of keys) factory(em, { [property]: key });
        await em.flush();

        const rows = await em.execute<{ key: string }[]>(`select "${column}" as key from "${table}"`);
        expect(rows.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
      }),
  );

  test.each(minted)(
    '$table has no server default: whoever writes plain SQL brings a key',
    ({ table, column }) =>
      db.rollback(async ({ em }) => {
        await expect(em.execute(`insert into "${table}" default values`)).rejects.toMatchObject({
          cause: { code: '23502' },
          column,
        });
      }),
  );

  test('ten thousand that are minted in a row differ and sort by time, here and in the database', () =>
    db.rollback(async ({ em }) => {
      const keys = Array.from({ length: 10_000 }, () => aSynthGroup(em).id);
      const [row] = await em.execute<{ sorted: boolean }[]>(
        `select array_agg(key order by n) = array_agg(key order by key) as sorted
         from jsonb_array_elements_text(?) with ordinality as t (key, n)`,
        [JSON.stringify(keys)],
      );

      expect(new Set(keys).size).toBe(10_000);
      expect(keys).toEqual(keys.toSorted());
      expect(row).toEqual({ sorted: true });
    }));

  test('the default group has the key, name and description that it has always had', () => {
    expect(defaultSynthGroup).toEqual({
      id: 'grp_00000001',
      name: 'Default',
      description: 'Grupo padrão para synths sem grupo específico',
    });
  });
});

describe('the legacy group', () => {
  test.each(['feature-scorecard', 'simulation-run'])('%s is marked deprecated', async (file) => {
    const source = await readFile(`${import.meta.dirname}/../../src/entities/legacy/${file}.ts`, 'utf8');

    expect(source).toMatch(/\* @deprecated .+\n \*\/\nexport class /);
  });
});
