import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import manifest from '../../package.json' with { type: 'json' };

const migrator = join(import.meta.dirname, '../..');
const modules = join(migrator, '../../node_modules');
const run = promisify(execFile);

let db: TestDatabase;
let project: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await mkdtemp(join(await realpath(tmpdir()), 'safe-migrations-'));
  const installed = join(project, 'node_modules/mikro-orm-safe-migrations');
  await mkdir(installed, { recursive: true });
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', project];
  const { stdout } = await run('npm', pack, { cwd: migrator });
  await run('tar', ['-xzf', join(project, stdout.trim()), '-C', installed, '--strip-components=1']);
  // Without @mikro-orm/cli, which is optional.
  for (const name of ['core', 'migrations', 'postgresql'].map((one) => `@mikro-orm/${one}`)) await link(name);
  for (const name of ['kysely', ...Object.keys(manifest.dependencies)]) await link(name);
  await put('package.json', '{ "type": "module" }');
  await put(
    'mikro-orm.config.ts',
    `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
    const Product = defineEntity({ name: 'Product', properties: { id: p.integer().primary(), name: p.string() } });
    export default [
      defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Product] }),
      (contextName: string) => contextName === 'other' && { contextName, dbName: 'other', host: 'nowhere.invalid' },
    ];`,
  );
});
afterAll(async () => {
  await rm(project, { recursive: true });
  await db.drop();
});

async function link(name: string): Promise<void> {
  await mkdir(dirname(join(project, 'node_modules', name)), { recursive: true });
  await symlink(join(modules, name), join(project, 'node_modules', name));
}

async function put(name: string, text: string): Promise<void> {
  await writeFile(join(project, name), text);
}

/** Runs `safe-migrations` in the project, with nothing in its environment but the database. */
function safeMigrations(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['node_modules/mikro-orm-safe-migrations/dist/cli/main.js', ...args],
      { cwd: project, env: { PATH: process.env['PATH'], DATABASE_URL: db.url } },
      (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

describe('safe-migrations in a project that only installed it', () => {
  test('creates, plans, applies, compares and reverts', async () => {
    expect(await safeMigrations('create', 'products')).toMatchObject({ code: 0, stderr: '' });
    const [name = ''] = (await readdir(join(project, 'migrations'))).map((file) => file.replace('.ts', ''));
    expect(await safeMigrations('status', '--exit-code')).toMatchObject({ code: 3 });
    const planned = await safeMigrations('plan', '--from', 'none');
    expect(planned.stdout).toContain('create table "product"');

    const applied = await safeMigrations('up', '--json');

    expect(JSON.parse(applied.stdout)).toMatchObject({ applied: [{ name, direction: 'up' }] });
    expect(await safeMigrations('check')).toMatchObject({ code: 0 });
    await db.orm.em.execute(`insert into product values (1, 'chair')`);
    const [row] = await db.orm.em.execute<{ name: string }[]>('select current_database() as name');
    expect(await safeMigrations('down')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`safe-migrations down --confirm ${row?.name}`),
    });
    const reverted = await safeMigrations('down', '--confirm', row?.name ?? '');
    expect(reverted).toMatchObject({ code: 0, stdout: expect.stringContaining(`reverted ${name}`) });
  });

  test('reports drift in status and up, and refuses it with --refuse-drift', async () => {
    await safeMigrations('up');
    expect((await safeMigrations('status', '--exit-code')).code).toBe(0);
    await db.orm.em.execute('create index product_by_name on product (name)');
    const lines =
      'The schema differs from what the last run left:\n  table product: index product_by_name: added\n';

    expect(await safeMigrations('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`pending\\.\\n${lines}$`)),
      stderr: '',
    });
    expect((await safeMigrations('status', '--exit-code')).code).toBe(3);
    const [status, up] = [await safeMigrations('status', '--json'), await safeMigrations('up', '--json')];
    const differences = [
      { object: 'table product', part: 'index product_by_name', fact: null, expected: null, found: 'there' },
    ];
    expect(JSON.parse(status.stdout)).toMatchObject({ drift: { unknown: null, differences } });
    expect(JSON.parse(up.stdout)).toMatchObject({ applied: [], drift: differences });
    expect(await safeMigrations('up')).toMatchObject({ code: 0, stderr: lines });
    expect(await safeMigrations('up', '--refuse-drift')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('product_by_name: added'),
    });
  });

  test('exits with 1 when it is refused, with the reason on standard error', async () => {
    expect(await safeMigrations('up', '--to', 'Migration1_nowhere')).toEqual({
      code: 1,
      stdout: expect.stringMatching(/^PostgreSQL at /),
      stderr: expect.stringMatching(/^safe-migrations: there is no migration "Migration1_nowhere"/),
    });
  });

  test.each([
    [['up', '--config', 'nowhere.ts'], '--config: there is no file nowhere.ts'],
    [
      ['up', '--context', 'missing'],
      'exports no configuration named "missing"; pass another name with --context',
    ],
    [['sideways'], "unknown command 'sideways'"],
    [['plan', '--steps', '2'], '--steps and --all belong to plan down'],
  ])('exits with 2 for %j', async (args, says) => {
    expect(await safeMigrations(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
  });

  test('finds a configuration by its name', async () => {
    expect(await safeMigrations('status', '--context', 'other')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere.invalid'),
    });
  });
});
