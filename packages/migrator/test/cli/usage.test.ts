import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import type { InstalledProject } from '../kit/installed-project.ts';
import { productsProject } from './products-project.ts';

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await productsProject(db);
  await mkdir(join(project.directory, 'migrations'));
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

describe('safe-migrations in a project that only installed it', () => {
  test('exits with 1 when it is refused, with the reason on standard error', async () => {
    expect(await project.run('up', '--to', 'Migration1_nowhere')).toEqual({
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
    [
      ['plan', 'down', '--allow-ahead'],
      '--allow-out-of-order, --allow-ahead and --refuse-drift belong to plan up',
    ],
    [['plan', 'down', '--refuse-drift'], 'belong to plan up'],
    [
      ['plan', '--from', 'none', '--refuse-drift'],
      "option '--refuse-drift' cannot be used with option '--from",
    ],
  ])('exits with 2 for %j', async (args, says) => {
    expect(await project.run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(says) });
  });

  test('finds a configuration by its name', async () => {
    expect(await project.run('status', '--context', 'other')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nowhere.invalid'),
    });
  });
});
