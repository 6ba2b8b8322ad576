import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Experiment, Synth, SynthGroup } from '../../src/entities.ts';
import { openDatabase, type Database } from '../../src/index.ts';
import { exportFormats, exportTables, type ExportFormat } from '../../src/exporting/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());
beforeEach(() =>
  db.orm.em.fork().execute(`delete from experiments; delete from synth_groups;
    insert into experiments (id, name, hypothesis) select 'exp_' || n, repeat('x', 90), 'h' from generate_series(1, 2000) n;
    insert into synth_groups (id, name) values ('grp_1', 'a')`),
);

async function textOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const read = (format: ExportFormat, from: Database = db): Promise<string> => {
  let text = '';
  return exportTables(from, { format, entities: [SynthGroup] }, async ({ bytes }) => {
    text = await textOf(bytes);
  }).then(() => text);
};

test('CSV has a header of properties, and JSON lines are objects of them', async () => {
  expect(await read('csv')).toMatch(/^id,name,[\w,]+\ngrp_1,a,[^\n]*\n$/);
  expect(await read('jsonl')).toMatch(/^\{"id":"grp_1","name":"a",[^\n]*\}\n$/);
});

test('all tables are as they were at one moment, although others commit meanwhile', async () => {
  const names: string[] = [];
  const counts = await exportTables(
    db,
    { format: 'csv', entities: [SynthGroup, Experiment] },
    async ({ name, bytes }) => {
      names.push(name);
      await textOf(bytes);
      await db.orm.em.fork().execute(`delete from experiments`);
    },
  );

  expect(names).toEqual(['SynthGroup', 'Experiment']);
  expect(counts).toMatchObject([
    { entity: 'SynthGroup', rows: 1 },
    { entity: 'Experiment', rows: 2000 },
  ]);
});

test('without entities, every table comes after those that it references', async () => {
  const counts = await exportTables(db, { format: 'csv' }, async ({ bytes }) => {
    await textOf(bytes);
  });

  const names = counts.map(({ entity }) => entity);
  expect(names).toHaveLength(17);
  expect(names.indexOf('SynthGroup')).toBeLessThan(names.indexOf('Synth'));
  expect(names.indexOf('AnalysisRun')).toBeLessThan(names.indexOf('Exploration'));
});

test.each(exportFormats)(
  'an export as %s that is read in part leaves the connection usable',
  async (format) => {
    const counts = await exportTables(db, { format, entities: [Experiment, Synth] }, async ({ bytes }) => {
      for await (const chunk of bytes) if (chunk.length > 0) break;
    });

    expect(counts.map(({ entity }) => entity)).toEqual(['Experiment', 'Synth']);
  },
);

test('what the writer throws is thrown unchanged, and the connection is returned', async () => {
  const failure = new Error('disk full');

  await expect(
    exportTables(db, { format: 'csv', entities: [Experiment] }, async ({ bytes }) => {
      for await (const chunk of bytes) if (chunk.length > 0) throw failure;
    }),
  ).rejects.toBe(failure);

  await db.read(async (uow) => expect(await uow.experiments.get('exp_1')).not.toBeNull());
});

test('a signal ends the export with its reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');

  await expect(
    exportTables(db, { format: 'csv', entities: [Experiment], signal: abort.signal }, async ({ bytes }) => {
      for await (const chunk of bytes) if (chunk.length > 0) abort.abort(reason);
    }),
  ).rejects.toBe(reason);
});

test('settings of the database change nothing', async () => {
  const name = db.target.parts.database;
  const settings = { datestyle: "'German, DMY'", timezone: "'America/Sao_Paulo'", extra_float_digits: '-5' };
  const em = db.orm.em.fork();
  const before = [await read('csv'), await read('jsonl')];
  for (const [setting, value] of Object.entries(settings))
    await em.execute(`alter database "${name}" set ${setting} = ${value}`);
  const others = await openDatabase({ url: db.url });
  try {
    expect(await others.orm.em.fork().execute('show datestyle')).toEqual([{ DateStyle: 'German, DMY' }]);
    expect([await read('csv', others), await read('jsonl', others)]).toEqual(before);
  } finally {
    await others.close();
    for (const setting of Object.keys(settings))
      await em.execute(`alter database "${name}" reset ${setting}`);
  }
});

test('a table of which a policy hides rows is refused, and nothing is written', async () => {
  const em = db.orm.em.fork();
  await em.execute(`create role reader login password 'reader'; grant select on all tables in schema public to reader;
    alter table synth_groups enable row level security; create policy none on synth_groups using (false)`);
  const url = new URL(db.url);
  [url.username, url.password] = ['reader', 'reader'];
  const reader = await openDatabase({ url: url.href, schemaBehind: 'ignore', schemaAhead: 'ignore' });
  const written: string[] = [];
  const exported = (entities: Parameters<typeof exportTables>[1]['entities']) =>
    exportTables(reader, { format: 'csv', entities }, async ({ name, bytes }) => {
      await textOf(bytes);
      written.push(name);
    });
  try {
    await expect(exported([Experiment, SynthGroup])).rejects.toThrow(
      'row-level policies hide rows of "synth_groups" from this role: connect as a role with BYPASSRLS',
    );
    expect(written).toEqual([]);
    expect(await exported([Experiment])).toMatchObject([{ rows: 2000 }]);
  } finally {
    await reader.close();
    await em.execute(
      'drop policy none on synth_groups; alter table synth_groups disable row level security; drop owned by reader; drop role reader',
    );
  }
});
