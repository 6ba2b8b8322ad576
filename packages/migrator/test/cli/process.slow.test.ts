import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, type TestDatabase } from '../kit/database.ts';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
// Where compiled modules are kept changes no result, only the time.
const { PATH, NODE_COMPILE_CACHE } = process.env;
const modules = join(import.meta.dirname, '../../../../node_modules');

/** A directory with a configuration and migrations, each with one statement. */
async function projectOf(migrations: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-process-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await writeFile(
    join(directory, 'package.json'),
    '{ "type": "module", "dependencies": { "@mikro-orm/cli": "*" } }',
  );
  await writeFile(
    join(directory, 'mikro-orm.config.js'),
    `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
    const Thing = defineEntity({ name: 'Thing', properties: { id: p.integer().primary() } });
    export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Thing], migrations: { path: 'migrations' } });`,
  );
  await mkdir(join(directory, 'migrations'));
  for (const [name, sql] of Object.entries(migrations))
    await writeFile(
      join(directory, 'migrations', `${name}.js`),
      `import { Migration } from '@mikro-orm/migrations';
      export class M extends Migration { up() { this.addSql(${JSON.stringify(sql)}); } down() {} }`,
    );
  return directory;
}

function start(db: TestDatabase, cwd: string, [command = '', ...args]: readonly string[]): ChildProcess {
  return spawn(command, args, {
    cwd,
    env: { PATH, NODE_COMPILE_CACHE, DATABASE_URL: db.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const sleeping = `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;

async function until(db: TestDatabase, sql: string): Promise<void> {
  await expect.poll(() => db.orm.em.execute(sql)).not.toEqual([]);
}

async function output(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map(async (one) => (one ? text(one) : '')),
  );
  const [code] = await closed;
  return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
}

const namespaces = ['unshare', '--pid', '--fork', '--kill-child', '--'];
const hasNamespaces = spawnSync(namespaces[0] ?? '', [...namespaces.slice(1), 'true']).status === 0;

/** The child of a process, by its id outside of its namespace. */
async function childOf(pid: number | undefined): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim());
}

describe('a signal', () => {
  test.runIf(hasNamespaces).each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends the first process of a container in an orderly way: %s', async (signal, code) => {
    const db = await emptyDatabase();
    const project = await projectOf({
      Migration1_a: 'create table a (id int)',
      Migration2_b: 'create table b (id int); select pg_sleep(60)',
    });
    const child = start(db, project, [...namespaces, process.execPath, main, 'up']);
    const ended = output(child);
    await until(db, sleeping);
    const begun = Date.now();

    process.kill(await childOf(child.pid), signal);

    expect(await ended).toMatchObject({
      code,
      stdout: expect.stringContaining('applied Migration1_a'),
      stderr: expect.stringContaining('Migration2_b was stopped in up() at statement 1. It was rolled back.'),
    });
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(await db.orm.em.execute(sleeping)).toEqual([]);
    expect(await db.orm.em.execute('select name from mikro_orm_migrations')).toEqual([
      { name: 'Migration1_a' },
    ]);
    expect(
      await db.orm.em.execute(
        `select holder, migration, expires_at < clock_timestamp() as free from migrator.lease`,
      ),
    ).toEqual([{ holder: null, migration: null, free: true }]);
    expect(await db.orm.em.execute(`select where to_regclass('b') is not null`)).toEqual([]);
  });

  test.runIf(hasNamespaces)('ends the first process of a container also where nothing is run', async () => {
    const db = await emptyDatabase();
    const project = await projectOf({ Migration1_a: 'select pg_sleep(60)' });
    // It waits for its migration on the scratch database.
    const child = start(db, project, [...namespaces, process.execPath, main, 'check']);
    const ended = output(child);
    await until(
      db,
      `select from pg_stat_activity where wait_event = 'PgSleep' and datname like 'migrator_scratch_%'`,
    );

    process.kill(await childOf(child.pid), 'SIGTERM');

    expect(await ended).toMatchObject({ code: 143 });
  });

  test('that comes twice ends the process at once; the next run goes on', async () => {
    const db = await emptyDatabase();
    const project = await projectOf({ Migration1_a: `create table a (id int); select pg_sleep(1)` });
    const child = start(db, project, [process.execPath, main, 'up']);
    const ended = output(child);
    await until(db, sleeping);

    child.kill('SIGTERM');
    child.kill('SIGINT');

    expect([130, 143]).toContain((await ended).code);
    expect(await output(start(db, project, [process.execPath, main, 'up']))).toMatchObject({ code: 0 });
  });
});

describe('a closed standard stream does not stop a run', () => {
  test.each([
    ['stdout', ['stdout']],
    ['stderr', ['stderr']],
    ['both', ['stdout', 'stderr']],
  ] as const)('%s', async (_, streams) => {
    const db = await emptyDatabase();
    const names = Array.from({ length: 5 }, (_unused, index) => `Migration${index}_a`);
    const project = await projectOf(
      Object.fromEntries(names.map((name) => [name, `create table ${name} (id int)`])),
    );
    const child = start(db, project, [process.execPath, main, 'up']);
    for (const name of streams) child[name]?.destroy();

    const [code] = await once(child, 'exit');

    expect(code).toBe(streams.some((name) => name === 'stdout') ? 5 : 0);
    expect(await db.orm.em.execute('select name from mikro_orm_migrations order by id')).toEqual(
      names.map((name) => ({ name })),
    );
    expect(await db.orm.em.execute(`select from migrator.lease where holder is null`)).toHaveLength(1);
  });

  test('a reader that leaves before the first line', async () => {
    const db = await emptyDatabase();
    const project = await projectOf({ Migration1_a: 'create table a (id int)' });

    const { stderr } = await output(
      start(db, project, ['sh', '-c', `"${process.execPath}" "${main}" up | head -0`]),
    );

    expect(stderr).toBe('');
    expect(await db.orm.em.execute('select name from mikro_orm_migrations')).toEqual([
      { name: 'Migration1_a' },
    ]);
  });
});

describe('80 columns are enough', () => {
  const long = `Migration20260101000000_${'a_rather_long_name_'.repeat(2)}of_62`;
  const longest = `Migration20260102000000_${'a_rather_long_name_'.repeat(5)}of_120`;
  const migrations = {
    [long]: 'create table a (id int)',
    Migration20260101000001_short: 'alter table a add b int',
    [longest]: 'create table c (id int)',
  };

  test.each([
    ['status', []],
    ['history', []],
    ['status', ['--exit-code']],
  ] as const)('for %s %j', async (command, args) => {
    const db = await emptyDatabase();
    const project = await projectOf({ ...migrations, Migration3_next: 'select 1' });
    await output(start(db, project, [process.execPath, main, 'up', '--to', longest]));

    const { stdout } = await output(start(db, project, [process.execPath, main, command, ...args]));

    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain(`\n${long}\n`);
    expect(stdout).toContain('Migration20260101000001_short');
    expect(stdout).toContain(`\n${longest.slice(0, 79)}…\n`);
  });

  test('the last line of status names the current, the next and the number of pending ones', async () => {
    const db = await emptyDatabase();
    const project = await projectOf({
      Migration1_a: 'select 1',
      Migration2_b: 'select 2',
      Migration3_c: 'select 3',
    });
    await output(start(db, project, [process.execPath, main, 'up', '--to', '+1']));

    const { stdout } = await output(start(db, project, [process.execPath, main, 'status']));

    expect(stdout.trimEnd().split('\n').at(-1)).toBe('Current Migration1_a, next Migration2_b, 2 pending.');
  });
});
