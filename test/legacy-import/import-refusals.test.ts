import { DatabaseSync } from 'node:sqlite';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import { ImportRefusedError, LegacySourceError, SchemaOutOfDateError } from '../../src/errors.ts';
import { withImportLock } from '../../src/legacy-import/with-import-lock.ts';
import { importLegacy } from '../../src/legacy-import/import-legacy.ts';
import { SqliteSource } from '../../src/legacy-import/source/sqlite-source.ts';
import { complete, LegacyWorkshop } from './legacy-workshop.ts';
import { manyRows } from './many-rows.ts';

let workshop: LegacyWorkshop;
beforeAll(async () => void (workshop = await LegacyWorkshop.open()));
beforeEach(() => workshop.empty());
afterAll(() => workshop.close());

const experiment = (id: string) => ({ id, ...complete.experiment });
const path = (name: string): string => join(workshop.directory, name);
const many = (count: number): string => workshop.file({}, { sql: `begin; ${manyRows(count)}; commit` });

async function countExperiments(): Promise<unknown> {
  const [row] = await workshop.rows('select count(*)::int as count from experiments');
  return row;
}

const unreadable: readonly (readonly [what: string, make: () => string, says: string])[] = [
  ['a file that is not there', () => path('none.db'), 'does not exist'],
  ['a directory', () => (mkdirSync(path('folder')), path('folder')), 'is not a file'],
  [
    'a text file',
    () => (writeFileSync(path('text.db'), 'id,name\n'.repeat(200)), path('text.db')),
    'not a SQLite database',
  ],
  [
    'an encrypted file',
    () => (writeFileSync(path('secret.db'), randomBytes(8_192)), path('secret.db')),
    'encrypted',
  ],
  [
    'an empty file',
    () => (writeFileSync(path('empty.db'), ''), path('empty.db')),
    'not a legacy database of schema version 15',
  ],
  ['another database', () => otherDatabase(), 'not a legacy database of schema version 15'],
  [
    'a file of a later version',
    () => workshop.file({}, { sql: 'pragma user_version = 16' }),
    'schema version 16',
  ],
  [
    'a file of which no table has the columns of a row',
    () => otherDatabase('create table synths (nome text)'),
    'it lacks synths.id',
  ],
];

test.for(unreadable)('%s is refused, and nothing is written', async ([, make, says]) => {
  const imported = workshop.import(make());

  await expect(imported).rejects.toThrow(LegacySourceError);
  await expect(imported).rejects.toThrow(says);
  expect(await countExperiments()).toEqual({ count: 0 });
});

function otherDatabase(sql = 'create table invoices (id integer primary key)'): string {
  const other = new DatabaseSync(path('other.db'));
  other.exec(sql);
  other.close();
  return path('other.db');
}

test('a truncated file is refused, and the import of the whole file resumes', async () => {
  const whole = many(2_000);
  const size = statSync(whole).size;

  for (const length of [50, 4_096, Math.floor(size / 2), size - 4_096, size - 1]) {
    copyFileSync(whole, path('cut.db'));
    truncateSync(path('cut.db'), length);
    await expect(workshop.import(path('cut.db'))).rejects.toThrow(LegacySourceError);
  }
  const { result } = await workshop.import(whole);

  expect(result.failures).toEqual([]);
});

test('a file with a corrupt page is refused', async () => {
  const file = many(2_000);
  const damaged = openSync(file, 'r+');
  writeSync(damaged, randomBytes(4_096), 0, 4_096, Math.floor(statSync(file).size / 8_192) * 4_096);
  closeSync(damaged);

  await expect(workshop.import(file)).rejects.toThrow(LegacySourceError);
});

test('a file that a writer has locked is refused', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] });
  const writer = new DatabaseSync(file);
  writer.exec('begin exclusive');

  await expect(workshop.import(file)).rejects.toThrow('locked');

  writer.exec('rollback');
  writer.close();
  expect((await workshop.import(file)).result.failures).toEqual([]);
});

test('a file with a hot journal is refused until it is rolled back', async () => {
  const file = workshop.file(
    { experiments: [experiment('exp_1')] },
    { sql: `begin; ${manyRows(2_000)}; commit` },
  );
  const killed = path('killed.db');
  const writer = new DatabaseSync(file);
  // So few pages fit into its memory that it writes before it commits.
  writer.exec('pragma cache_size = 2; begin; update synth_outcomes set failed_rate = 1');
  copyFileSync(file, killed);
  copyFileSync(`${file}-journal`, `${killed}-journal`);
  writer.close();

  await expect(workshop.import(killed)).rejects.toThrow('its last writer was killed');

  new DatabaseSync(killed).prepare('select 1 from sqlite_schema').all();
  const { failures } = (await workshop.import(killed)).result;
  expect(failures).toEqual([]);
  expect(await workshop.rows('select count(*)::int from synth_outcomes where failed_rate = 1')).toEqual([
    { count: 0 },
  ]);
});

test('rows that a corrupt index leaves out of the count are detected', async () => {
  const only = ' where id is null';
  const file = workshop.file(
    { experiments: [experiment('exp_1')] },
    { sql: `create index hollow on experiments (status)${only}` },
  );
  // It claims to have all rows now.
  const bytes = readFileSync(file, 'latin1').replace(only, ' '.repeat(only.length));
  writeFileSync(file, bytes, 'latin1');

  const { result } = await workshop.import(file);

  expect(result.failures).toEqual(['experiments: only 1 of 0 rows are accounted for']);
});

test('a row that another writer adds during the import is detected', async () => {
  await workshop.rows(
    `create function add() returns trigger language plpgsql as $$
       begin insert into synth_groups (id, name, created_at) values ('grp_other', 'Other', now()); return null; end $$`,
  );
  await workshop.rows('create trigger add after insert on experiments for each row execute function add()');
  try {
    const { result } = await workshop.import({ experiments: [experiment('exp_1')] });

    expect(result.failures).toEqual([
      expect.stringMatching(/^synth_groups: the target has 1 rows, expected 0/),
    ]);
  } finally {
    await workshop.rows('drop trigger add on experiments');
  }
});

test('the import reads a snapshot of a file with a write-ahead log', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] }, { sql: 'pragma journal_mode = wal' });
  await using source = await SqliteSource.open(file);
  const writer = new DatabaseSync(file);
  writer.exec(
    `insert into experiments (id, name, hypothesis, created_at) values ('exp_2', 'n', 'h', '2025-03-01T12:00:00Z')`,
  );
  writer.close();

  const { failures } = await importLegacy(source, workshop.database);

  expect(failures).toEqual([]);
  expect(await countExperiments()).toEqual({ count: 1 });
});

test('nothing is left beside a file with a write-ahead log, and a copy without its log is noted', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] }, { sql: 'pragma journal_mode = wal' });
  const before = readFileSync(file);

  const { result } = await workshop.import(file);

  expect(result.notes).toEqual([expect.stringContaining(`${file}-wal, which is not there`)]);
  expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false]);
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('the log of a file stays as it is, and is read', async () => {
  const file = workshop.file({}, { sql: 'pragma journal_mode = wal' });
  const writer = new DatabaseSync(file);
  writer.exec(
    `insert into experiments (id, name, hypothesis, created_at) values ('exp_2', 'n', 'h', '2025-03-01T12:00:00Z')`,
  );
  const log = readFileSync(`${file}-wal`);

  const { result } = await workshop.import(file);

  expect(result.notes).toEqual([]);
  expect(await countExperiments()).toEqual({ count: 1 });
  expect(readFileSync(`${file}-wal`).equals(log)).toBe(true);
  writer.close();
});

test('tables and columns that the target lacks are reported, and can be skipped by name', async () => {
  const file = workshop.file(
    { research_executions: [{ exec_id: 'batch_1', topic_name: 't', started_at: '2025-03-01T12:00:00Z' }] },
    {
      upgraded: true,
      // Of an execution without an experiment.
      sql: `update research_executions set summary_content = 'lost'; insert into prfaq_metadata (exec_id) values ('batch_1')`,
    },
  );
  const skip = ['prfaq_metadata', 'topic_guides_cache', 'research_executions.summary_content'];

  const refused = workshop.import(file);
  await expect(refused).rejects.toThrow(ImportRefusedError);
  // The cache has no rows.
  await expect(refused).rejects.toThrow('--skip prfaq_metadata,research_executions.summary_content; nothing');
  const dry = await workshop.dryRun(file);
  const { result } = await workshop.import(file, { skip });

  expect(dry.result.failures).toHaveLength(1);
  expect(result.failures).toEqual([]);
  expect(result.unknown).toEqual([
    { name: 'prfaq_metadata', rows: 1, skipped: true },
    { name: 'research_executions.summary_content', rows: 1, skipped: true },
    { name: 'topic_guides_cache', rows: 0, skipped: true },
  ]);
});

test('tables and columns that the target has can not be skipped', async () => {
  await expect(workshop.import({}, { skip: ['synths.data'] })).rejects.toThrow('synths.data');
});

test('an empty table or column that the target lacks needs no option', async () => {
  const { result } = await workshop.import(workshop.file({}, { upgraded: true }));

  expect(result.failures).toEqual([]);
  expect(result.unknown.map(({ rows, skipped }) => [rows, skipped])).toEqual([
    [0, false],
    [0, false],
    [0, false],
  ]);
});

test('a name in --skip that the source lacks is refused', async () => {
  const file = workshop.file({}, { upgraded: true });

  await expect(workshop.import(file, { skip: ['prfaq_metdata'] })).rejects.toThrow(
    '--skip names prfaq_metdata, which the source lacks; what can be skipped: prfaq_metadata, research_executions.summary_content, topic_guides_cache',
  );
});

test('the failure names the option that most rejected rows need, not counting rows below them', async () => {
  const experiments = ['exp_1', 'exp_2'].map((id) => ({
    id,
    ...complete.experiment,
    created_at: '2025-03-01T12:00:00',
  }));
  const runs = experiments.map(({ id }) => ({ id: `ana_${id}`, experiment_id: id, ...complete.run }));
  const outcomes = [1, 2, 3, 4].map((n) => ({
    id: `out_${n}`,
    analysis_id: 'ana_exp_1',
    synth_id: `syn_${n}`,
    ...complete.outcome,
  }));

  const { result } = await workshop.import({
    experiments,
    analysis_runs: runs,
    synth_outcomes: outcomes,
  });

  expect(result.failures).toEqual([
    '8 rows were rejected, 0 are allowed; 2 of them need the zone of their times: --source-time-zone, such as America/Sao_Paulo or UTC; ' +
      'otherwise correct them in the source, or allow them with --allow-rejected 8',
  ]);
});

test('a target that is not migrated is refused', async () => {
  const name = `${workshop.database.target.parts.database}_bare`;
  await workshop.rows(`create database ${name} template template0`);
  const orm = await connect(workshop.database.target.withDatabase(name));
  try {
    await using source = await SqliteSource.open(workshop.file({}));
    await expect(importLegacy(source, new Database(orm))).rejects.toThrow(SchemaOutOfDateError);
  } finally {
    await orm.close(true);
    await workshop.rows(`drop database ${name}`);
  }
});

test('a target with foreign rows is refused unchanged; one with rows of the same source is resumed', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1'), experiment('exp_2')] });
  await workshop.import({ experiments: [experiment('exp_2')] });
  const begun = await workshop.import(file);
  await workshop.rows(`update experiments set name = 'changed' where id = 'exp_1'`);

  await expect(workshop.import(file)).rejects.toThrow('1 of its 2 rows of experiments');

  expect(begun.table('experiments')).toMatchObject({ written: 1, found: 1, rejected: 0 });
  expect(await workshop.rows('select name from experiments order by id')).toEqual([
    { name: 'changed' },
    { name: 'Checkout' },
  ]);
});

test('two concurrent imports both succeed, without duplicate rows', async () => {
  const file = many(300);

  const both = await Promise.all([workshop.import(file), workshop.import(file)]);

  expect(both.flatMap(({ result }) => result.failures)).toEqual([]);
  const outcomes = both.map(({ table }) => table('synth_outcomes'));
  expect(outcomes.map((one) => one?.written ?? -1).toSorted((one, other) => one - other)).toEqual([0, 300]);
});

test('an import holds a lock against other imports', async () => {
  const file = workshop.file({ experiments: [experiment('exp_1')] });

  await withImportLock(workshop.database, () =>
    expect(workshop.import(file)).rejects.toThrow('another import'),
  );

  expect(await countExperiments()).toEqual({ count: 0 });
});

test('a row that is stored differently is detected by the digest', async () => {
  await workshop.rows(
    `create function blur() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$`,
  );
  await workshop.rows(
    'create trigger blur before insert on experiments for each row execute function blur()',
  );
  try {
    const { result } = await workshop.import({ experiments: [experiment('exp_1')] });

    expect(result.failures).toEqual([expect.stringMatching(/^experiments: the digest of the target is/)]);
  } finally {
    await workshop.rows('drop trigger blur on experiments');
  }
});
