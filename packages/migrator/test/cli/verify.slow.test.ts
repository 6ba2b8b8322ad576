import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, type TestDatabase } from '../kit/database.ts';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const modules = join(import.meta.dirname, '../../../../node_modules');

// No generated name has such a digest.
const hidden = `delete from person where md5(name) like '8b1a9953%'`;

/** A directory with a migration that creates a table, and one whose `down` deletes rows. */
async function project(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-verify-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await mkdir(join(directory, 'migrations'));
  const files: Readonly<Record<string, string>> = {
    'package.json': '{ "type": "module", "dependencies": { "@mikro-orm/cli": "*" } }',
    'mikro-orm.config.js': `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
      const Person = defineEntity({ name: 'Person', properties: { id: p.integer().primary() } });
      export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Person], migrations: { path: 'migrations' } });`,
    'migrations/M1.js': `import { Migration } from '@mikro-orm/migrations';
      export class M1 extends Migration {
        static loses = ['person: dropped'];
        up() { this.addSql('create table person (id int primary key, name text)'); }
        down() { this.addSql('drop table person'); }
      }`,
    'migrations/M2.js': `import { Migration } from '@mikro-orm/migrations';
      export class M2 extends Migration {
        up() { this.addSql('create index i on person (name)'); }
        down() { this.addSql('drop index i'); this.addSql(${JSON.stringify(hidden)}); }
      }`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function verify(db: TestDatabase, cwd: string, ...args: readonly string[]): Promise<Result> {
  return run(db, cwd, 'verify', ...args);
}

function run(db: TestDatabase, cwd: string, ...args: readonly string[]): Promise<Result> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: db.url, NO_COLOR: '1' };
  return new Promise((resolve) =>
    execFile(process.execPath, [main, ...args], { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
}

test('verify prints the certificates, and ends with 3 for one that failed by the rows of its author', async () => {
  const [db, directory] = [await emptyDatabase(), await project()];

  const unaware = await verify(db, directory);
  // The name whose digest begins with 8b1a9953.
  await writeFile(join(directory, 'migrations/M2.rows.sql'), `insert into person values (-7, 'Hello')`);
  const aware = await verify(db, directory, '--certificate', 'certificates.json');
  const json = await verify(db, directory, 'M2', '--json');

  expect(unaware).toMatchObject({ code: 0, stderr: '' });
  expect(unaware.stdout).toMatch(
    /^certificate +migration +rows +took\nlossy as declared +M1 +\d+ +\d+\.\d s\nlossless +M2 /m,
  );
  expect(aware).toMatchObject({ code: 3, stderr: '' });
  expect(aware.stdout).toMatch(/^failed +M2 /m);
  expect(aware.stdout.replaceAll(/\s+/g, ' ')).toContain(
    `M2: after up and down, person: rows are missing, such as "[\\"-7\\"]" (1 row); correct it, or declare static loses = ['person: why']`,
  );
  const kept: unknown = JSON.parse(await readFile(join(directory, 'certificates.json'), 'utf8'));
  expect(kept).toMatchObject([
    { migration: 'M1', certificate: 'lossy as declared' },
    { migration: 'M2', certificate: 'failed', loses: [{ object: 'person', rows: 1, declared: null }] },
  ]);
  expect(json.code).toBe(3);
  expect(JSON.parse(json.stdout)).toMatchObject({
    database: expect.any(String),
    certificates: [{ migration: 'M2', certificate: 'failed' }],
  });
});

test('verify refuses names together with --pending, and an unknown name', async () => {
  const [db, directory] = [await emptyDatabase(), await project()];

  expect(await verify(db, directory, 'M2', '--pending')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('pass names or --pending, not both'),
  });
  expect(await verify(db, directory, 'M22')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no migration M22; did you mean M2?'),
  });
});

test('status shows the certificates of a file, and none where other SQL was applied than was verified', async () => {
  const [db, directory] = [await emptyDatabase(), await project()];
  await verify(db, directory, '--certificate', 'kept.json');
  await run(db, directory, 'up', '--to', 'M1');
  const [status, json] = [
    await run(db, directory, 'status', '--certificates', 'kept.json'),
    await run(db, directory, 'status', '--certificates', 'kept.json', '--json'),
  ];
  const file = join(directory, 'kept.json');
  const kept = await readFile(file, 'utf8');
  await writeFile(file, kept.replace(/"checksum": "./, '"checksum": "?'));
  const edited = await run(db, directory, 'status', '--certificates', 'kept.json', '--json');
  await writeFile(file, '[{}]');
  const refused = await run(db, directory, 'status', '--certificates', 'kept.json');
  const missing = await run(db, directory, 'status', '--certificates', 'other.json');

  expect(status.stdout).toMatch(/^migration .* certificate$/m);
  expect(status.stdout).toMatch(/^M1 .* lossy as declared$/m);
  expect(status.stdout).toMatch(/^M2 +pending +lossless$/m);
  expect(JSON.parse(json.stdout)).toMatchObject({
    migrations: [
      { name: 'M1', certificate: 'lossy as declared' },
      { name: 'M2', certificate: 'lossless' },
    ],
  });
  expect(JSON.parse(edited.stdout)).toMatchObject({
    migrations: [{ certificate: null }, { certificate: 'lossless' }],
  });
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      'kept.json is no list of certificates: write it with verify --certificate kept.json',
    ),
  });
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("other.json can't be read") });
});
