import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { main, synthdb as run, type Run } from './run.ts';

const synthdb = (args: string[], directory: string): Promise<Run> =>
  run(args, directory, { NODE_ENV: 'development' });

// The path of a newcomer, in a directory with nothing but a package.json.
describe('synthdb without a DATABASE_URL', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
    await writeFile(join(directory, 'package.json'), '{}');
  });
  afterAll(async () => {
    await synthdb(['db', 'stop'], directory);
    await rm(directory, { recursive: true, force: true });
  });

  const ask = async <T extends object>(sql: string): Promise<T[]> => {
    const { stdout } = await synthdb(['db', 'url'], directory);
    const orm = await connect(parseDatabaseUrl(stdout.trim(), 'url'));
    const rows = await orm.em.execute<T[]>(sql);
    await orm.close(true);
    return rows;
  };

  test('migrates up, is idempotent, reverts everything, and migrates up again', async () => {
    const up = await synthdb(['migrate', 'up'], directory);
    expect(up).toMatchObject({ code: 0, stderr: expect.not.stringContaining('rror') });
    expect(up.stdout.match(/applied Migration/g)).toHaveLength(migrationChain.length);
    expect(up.stdout).toMatch(/psql 'postgresql:\/\/synthlab:\S+@127\.0\.0\.1:\d+\/synthlab'/);

    const again = await synthdb(['migrate', 'up', '--json'], directory);
    expect(JSON.parse(again.stdout)).toMatchObject({ applied: [] });

    const down: number[] = [];
    for (let i = 0; i <= migrationChain.length; i++) {
      const { stdout } = await synthdb(['migrate', 'down', '--json'], directory);
      down.push(JSON.parse(stdout).reverted.length);
    }
    expect(down).toEqual([...migrationChain.map(() => 1), 0]);
    const left = `select relname as name from pg_class where relnamespace = 'public'::regnamespace
      union all select proname from pg_proc where pronamespace = 'public'::regnamespace order by 1`;
    expect((await ask<{ name: string }>(left)).map(({ name }) => name)).toEqual([
      'mikro_orm_migrations',
      'mikro_orm_migrations_id_seq',
      'mikro_orm_migrations_pkey',
    ]);

    const back = await synthdb(['migrate', 'up', '--json'], directory);
    expect(JSON.parse(back.stdout).applied).toHaveLength(migrationChain.length);
    const status = await synthdb(['migrate', 'status'], directory);
    expect(status.stdout.match(/ applied /g)).toHaveLength(migrationChain.length + 1); // the heading has it once
  });

  test('the demo is idempotent', async () => {
    const first = await synthdb(['demo', '--json'], directory);
    const second = await synthdb(['demo', '--json'], directory);

    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
    const { stored } = JSON.parse(first.stdout);
    expect(stored).toContainEqual(expect.objectContaining({ what: 'outcomes', rows: 500 }));
    const [counts] = await ask<{ synths: string; nodes: string }>(
      'select (select count(*) from synths) as synths, (select count(*) from scenario_nodes) as nodes',
    );
    expect(counts).toEqual({ synths: '250', nodes: '4' });
  });

  test('creates no migration when entities and migrations agree', async () => {
    const { stdout } = await synthdb(['migrate', 'create', 'nothing'], directory);

    expect(stdout).toContain('agree');
  });

  test('reset requires confirmation, and refuses without a terminal', async () => {
    expect(await synthdb(['db', 'reset'], directory)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('to confirm, run: synthdb db reset --confirm synthlab\n'),
    });
    expect(await synthdb(['db', 'reset', '--confirm', 'shop'], directory)).toMatchObject({ code: 2 });
    expect(await ask('select 1 from synths')).not.toEqual([]);

    const { code } = await synthdb(['db', 'reset', '--confirm', 'synthlab'], directory);

    expect(code).toBe(0);
    expect(await ask('select 1 from synths')).toEqual([]);
  });

  test.skipIf(!existsSync('/dev/full')).each(['start', 'url', 'stop'])(
    'db %s is an error where its output is lost',
    async (command) => {
      const line = `'${process.execPath}' '${main}' db ${command} > /dev/full`;

      await expect(promisify(execFile)('sh', ['-c', line], { cwd: directory })).rejects.toMatchObject({
        code: 5,
        stderr: expect.stringContaining('standard output could not be written'),
      });
    },
  );

  test('stops, and starts again with its data', async () => {
    await synthdb(['demo'], directory);

    expect((await synthdb(['db', 'stop'], directory)).stdout).toContain('its data is kept');
    expect((await synthdb(['db', 'stop'], directory)).stdout).toContain('is not running');
    expect((await synthdb(['db', 'start'], directory)).code).toBe(0);
    expect(await ask('select 1 from experiments')).toHaveLength(1);
  });
});
