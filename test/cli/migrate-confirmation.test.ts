import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { addExperiment } from './experiment.ts';
import { synthdb as run, type Run } from './run.ts';

const [initial = '', checks = ''] = migrationChain;

let db: TestDatabase;
beforeAll(async () => void (db = await TestServer.shared().createEmptyDatabase()));
afterAll(() => db.drop());

function migrate(...args: string[]): Promise<Run> {
  return run(['migrate', ...args], tmpdir(), { DATABASE_URL: db.url });
}

// One after the other, on one database.
describe('synthdb migrate', () => {
  test('requires the name of the database when rows would be lost', async () => {
    const { database } = db.target.parts;
    await migrate('up');
    await addExperiment(db);

    for (const command of [
      ['down', '--all'],
      ['down', '--steps', '20'],
    ])
      expect(await migrate(...command)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(
          new RegExp(
            `lose data of experiments; .*: synthdb migrate ${command.join(' ')} --confirm ${database}\n`,
          ),
        ),
      });
    expect(await migrate('down', '--all', '--confirm', 'another')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`"another" is not the name of`),
    });
    const { code, stdout } = await migrate('down', '--all', '--confirm', database, '--json');

    expect(code).toBe(0);
    expect(JSON.parse(stdout).reverted).toHaveLength(migrationChain.length);
  });

  test('requires no confirmation when no rows are lost, but refuses a wrong name', async () => {
    await migrate('up', '--to', checks);

    expect(await migrate('redo', '--confirm', 'another')).toMatchObject({ code: 2, stdout: '' });
    expect(await migrate('down', '--all')).toMatchObject({ code: 0 });
    expect(await migrate('down')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to revert.'),
    });
  });

  test('requires no confirmation when existing rows are kept', async () => {
    await migrate('up', '--to', checks);
    await addExperiment(db);

    expect(await migrate('down')).toMatchObject({ code: 0, stdout: expect.stringContaining(checks) });
    expect(await migrate('redo')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'would lose data of experiments; to confirm, run: synthdb migrate redo',
      ),
    });
  });
});

describe('a database outside development', () => {
  const name = `shop_${randomBytes(4).toString('hex')}`;
  beforeAll(() => db.orm.em.execute(`create database "${name}"`));
  afterAll(() => db.orm.em.execute(`drop database "${name}" with (force)`));

  test('is not reverted without its name', async () => {
    const url = new URL(db.url);
    url.pathname = name;
    const shop = (...args: string[]) => run(['migrate', ...args], tmpdir(), { DATABASE_URL: url.href });
    await shop('up', '--to', initial);

    for (const command of ['down', 'redo'])
      expect(await shop(command)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(
          `is not a development database; to confirm, run: synthdb migrate ${command} --confirm ${name}\n`,
        ),
      });

    const { stdout } = await shop('down', '--confirm', name, '--json');
    expect(JSON.parse(stdout).reverted).toMatchObject([{ name: initial, direction: 'down' }]);
  });
});
