import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { main, synthdb, type Run } from './run.ts';

let db: TestDatabase;
let directory: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(
    `insert into synth_groups (id, name) values ('grp_1', 'first'), ('grp_2', 'second')`,
  );
});
afterAll(() => db.drop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'synthdb-export-'));
  await writeFile(join(directory, 'package.json'), '{}');
  return () => rm(directory, { recursive: true, force: true });
});

const run = (...args: string[]): Promise<Run> => synthdb(args, directory, { DATABASE_URL: db.url });

test('every table goes to a file of its own, and a table shows what was written', async () => {
  const { code, stdout } = await run('export', '--to', 'backup');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^entity +rows +bytes +file\n/m);
  expect(stdout).toMatch(/^SynthGroup +2 +\d+ +backup\/synth-group\.csv$/m);
  expect(await readdir(join(directory, 'backup'))).toHaveLength(17);
});

test('--json names the files for programs', async () => {
  const { code, stdout } = await run(
    'export',
    'SynthGroup',
    'Synth',
    '--to',
    'out',
    '--format',
    'jsonl',
    '--json',
  );

  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    format: 'jsonl',
    tables: [
      { entity: 'SynthGroup', rows: 2, file: 'out/synth-group.jsonl' },
      { entity: 'Synth', rows: 0, file: 'out/synth.jsonl' },
    ],
  });
});

test.each(['groups.csv', 'groups.jsonl', 'groups.parquet'])('what goes to %s, load takes', async (file) => {
  expect(await run('export', 'SynthGroup', '--to', file)).toMatchObject({ code: 0 });

  const loaded = await run('load', file, '--entity', 'SynthGroup', '--mode', 'insert_missing', '--json');

  expect(JSON.parse(loaded.stdout)).toMatchObject({ rows: 2, skipped: 2 });
});

test('standard output has nothing but the rows', async () => {
  const { code, stdout } = await run('export', 'SynthGroup', '--to', '-', '--format', 'jsonl');

  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ id: 'grp_1' }, { id: 'grp_2' }]);
});

test('a read model is exported as its repository shows it', async () => {
  const { code, stdout } = await run(
    'export',
    'synthGroups.streamSummaries',
    '--to',
    '-',
    '--format',
    'jsonl',
  );

  expect(code).toBe(0);
  const rows: unknown[] = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(rows).toHaveLength(2);
  expect(rows).toContainEqual(expect.objectContaining({ id: 'grp_1', synthCount: 0 }));
});

test('a read model of a table of which a policy hides rows is refused', async () => {
  const { em } = db.orm;
  await em.execute(`create role viewer login password 'viewer'; grant select on all tables in schema public to viewer;
    alter table synth_groups enable row level security; create policy none on synth_groups using (false)`);
  const url = new URL(db.url);
  [url.username, url.password] = ['viewer', 'viewer'];
  try {
    const args = ['export', 'synthGroups.streamSummaries', '--to', 'groups.csv'];
    const { code, stderr } = await synthdb(args, directory, { DATABASE_URL: url.href });

    expect(code).toBe(1);
    expect(stderr).toContain('synth_groups');
    expect(await readdir(directory)).toEqual(['package.json']);
  } finally {
    await em.execute(
      'drop policy none on synth_groups; alter table synth_groups disable row level security; drop owned by viewer; drop role viewer',
    );
  }
});

test('a read model of the rows of a parent takes its key', async () => {
  const missing = await run('export', 'synthOutcomes.streamSummaries', '--to', 'a.csv');
  expect(missing).toMatchObject({ code: 2 });
  expect(missing.stderr).toContain('synthOutcomes.streamSummaries needs its analysisId: give --of KEY');

  expect(
    await run('export', 'synthOutcomes.streamSummaries', '--of', 'none', '--to', 'a.csv', '--json'),
  ).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"entity": "synthOutcomes.streamSummaries"'),
  });
});

test.each([
  [
    'an unknown read model',
    ['experiments.stream', '--to', 'a.csv'],
    'unknown read model "experiments.stream"; expected one of: ',
  ],
  [
    'a read model as Parquet',
    ['experiments.streamSummaries', '--to', 'a.parquet'],
    'a read model is exported as CSV or JSON lines',
  ],
  [
    'a parent that is not needed',
    ['experiments.streamSummaries', '--of', 'x', '--to', 'a.csv'],
    'experiments.streamSummaries takes no --of',
  ],
  [
    'a parent of an entity',
    ['Experiment', '--of', 'x', '--to', 'a.csv'],
    '--of is for a read model, and Experiment is an entity',
  ],
  ['a parent of several', ['Experiment', 'Synth', '--of', 'x', '--to', 'a'], '--of is for one read model'],
  ['an entity that is named twice', ['Synth', 'Synth', '--to', 'a'], 'Synth is named twice'],
  [
    'an ending of another format',
    ['Synth', '--to', 'a.csv', '--format', 'parquet'],
    'a.csv ends with another format than parquet',
  ],
  [
    'a device',
    ['Synth', '--to', '/dev/null'],
    '/dev/null is not a regular file: give one, or - for standard output',
  ],
  [
    'an unknown entity',
    ['Experiments', '--to', 'a.csv'],
    'unknown entity "Experiments"; expected one of: AnalysisCache',
  ],
  ['one file for all tables', ['--to', 'a.csv'], 'a.csv is one file: name one entity, or give a directory'],
  ['standard output for all tables', ['--to', '-'], 'standard output takes one table: name one entity'],
  [
    'an unknown ending',
    ['SynthGroup', '--to', 'a.xlsx'],
    'the format of a.xlsx is unknown; use --format csv, jsonl or parquet',
  ],
  ['rows and JSON', ['SynthGroup', '--to', '-', '--json'], '--json would be printed between the rows'],
  ['no destination', ['SynthGroup'], "required option '--to <path>' not specified"],
])('%s is invalid usage', async (_, args, message) => {
  const { code, stderr } = await run('export', ...args);

  expect(code).toBe(2);
  expect(stderr).toContain(message);
  expect(await readdir(directory)).toEqual(['package.json']);
});

test('a file that exists stays, unless it is to be replaced', async () => {
  await writeFile(join(directory, 'groups.csv'), 'mine');

  const refused = await run('export', 'SynthGroup', '--to', 'groups.csv');
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('groups.csv exists: give --force to replace it');
  expect(await readFile(join(directory, 'groups.csv'), 'utf8')).toBe('mine');

  expect(await run('export', 'SynthGroup', '--to', 'groups.csv', '--force')).toMatchObject({ code: 0 });
  expect(await readFile(join(directory, 'groups.csv'), 'utf8')).toContain('grp_2');
});

test('of several files, one that exists refuses all', async () => {
  await writeFile(join(directory, 'synth.csv'), 'mine');

  const refused = await run('export', '--to', '.');

  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('synth.csv exists: give --force to replace it');
  expect((await readdir(directory)).toSorted()).toEqual(['package.json', 'synth.csv']);
});

test('a reader that leaves ends the export', async () => {
  await db.orm.em.execute(
    `insert into synth_groups (id, name) select 'many_' || n, repeat('x', 90) from generate_series(1, 300000) n`,
  );
  try {
    const command = `"${process.execPath}" "${main}" export SynthGroup --to - | head -1; echo "\${PIPESTATUS[0]}"`;
    const began = performance.now();
    const { stdout } = await promisify(execFile)('bash', ['-c', command], {
      cwd: directory,
      env: { PATH: process.env['PATH'], DATABASE_URL: db.url },
    });

    expect(stdout.split('\n')).toEqual([expect.stringMatching(/^id,name/), '5', '']);
    expect(performance.now() - began).toBeLessThan(20_000);
  } finally {
    await db.orm.em.execute(`delete from synth_groups where id like 'many_%'`);
  }
});

test('a timeout of the role does not end it', async () => {
  const name = db.target.parts.database;
  const em = db.orm.em.fork();
  await em.execute(`alter database "${name}" set statement_timeout = '250ms'`);
  try {
    const holder = await holdTable('synth_groups');
    const exported = run('export', 'SynthGroup', '--to', 'a.csv');
    await vi.waitFor(
      async () => expect(await em.execute('select from pg_locks where not granted')).toHaveLength(1),
      {
        timeout: 10_000,
      },
    );
    await setTimeout(500);
    await holder[Symbol.asyncDispose]();

    expect(await exported).toMatchObject({ code: 0 });
  } finally {
    await em.execute(`alter database "${name}" reset statement_timeout`);
  }
});

test('a link is replaced, and what it leads to stays', async () => {
  await writeFile(join(directory, 'target'), 'mine');
  await symlink('target', join(directory, 'groups.csv'));

  expect(await run('export', 'SynthGroup', '--to', 'groups.csv', '--force')).toMatchObject({ code: 0 });

  expect(await readFile(join(directory, 'target'), 'utf8')).toBe('mine');
});

test('a failed export leaves no file', async () => {
  const missing = join(directory, 'missing', 'groups.csv');

  const { code, stderr } = await run('export', 'SynthGroup', '--to', missing);

  expect(code).not.toBe(0);
  expect(stderr).toContain("can't be written; check that its directory exists and is writable");
  expect(existsSync(missing)).toBe(false);
});

test('an export that is interrupted leaves no file', async () => {
  // Holds the export while its file is open.
  await using holder = await holdTable('synth_groups');
  const child = spawn(process.execPath, [main, 'export', 'SynthGroup', '--to', 'groups.csv'], {
    cwd: directory,
    env: { PATH: process.env['PATH'], DATABASE_URL: holder.url },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await vi.waitFor(async () => expect(await readdir(directory)).toHaveLength(2), { timeout: 10_000 });

  child.kill('SIGINT');

  expect(await exited).toEqual([130, null]);
  expect(await readdir(directory)).toEqual(['package.json']);
});

/** Locks a table against reads until it is disposed of. */
async function holdTable(name: string): Promise<AsyncDisposable & { readonly url: string }> {
  const em = db.orm.em.fork();
  await em.begin();
  await em.execute(`lock table ${name}`);
  return { url: db.url, [Symbol.asyncDispose]: () => em.rollback() };
}
