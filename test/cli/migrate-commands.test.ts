import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { addExperiment } from './experiment.ts';
import { synthdb as run, type Run } from './run.ts';

const firstThree = migrationChain.slice(0, 3);
const [initial = '', checks = '', tree = ''] = firstThree;

let db: TestDatabase;
beforeAll(async () => void (db = await TestServer.shared().createEmptyDatabase()));
afterAll(() => db.drop());

function migrate(...args: string[]): Promise<Run> {
  return run(['migrate', ...args], tmpdir(), { DATABASE_URL: db.url });
}

function ran(names: string[], direction: 'up' | 'down'): unknown[] {
  return names.map((name) => ({ name, direction, duration: expect.any(Number) }));
}

// One after the other, on one database.
describe('synthdb migrate', () => {
  test('up --json prints what it applied, and where', async () => {
    const { code, stdout, stderr } = await migrate('up', '--to', tree, '--json');

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      database: expect.stringMatching(new RegExp(`@.*:\\d+/${db.target.parts.database}$`)),
      applied: ran(firstThree, 'up'),
      drift: [],
    });
  });

  test('down and redo --json print what they ran', async () => {
    const down = await migrate('down', '--json');
    const redo = await migrate('redo', '--json');

    expect(JSON.parse(down.stdout)).toMatchObject({ reverted: ran([tree], 'down') });
    expect(JSON.parse(redo.stdout)).toMatchObject({
      runs: [...ran([checks], 'down'), ...ran([checks], 'up')],
    });
  });

  test('status --json prints every migration, and --exit-code exits with 3 when one is pending', async () => {
    const { code, stdout } = await migrate('status', '--json', '--exit-code');

    expect(code).toBe(3);
    const { migrations } = JSON.parse(stdout);
    expect(migrations.slice(0, 3)).toEqual([
      ...[initial, checks].map((name) => ({
        name,
        condition: 'applied',
        appliedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        duration: expect.any(Number),
        by: expect.stringMatching(/^\S+ \(\S+@\S+\)$/),
        checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      })),
      expect.objectContaining({
        name: tree,
        condition: 'pending',
        appliedAt: null,
        duration: null,
        by: null,
      }),
    ]);
    expect(await migrate('status')).toMatchObject({ code: 0 });
  });

  test('up reports that nothing is pending up to a name', async () => {
    const { code, stdout } = await migrate('up', '--to', checks);

    expect(code).toBe(0);
    expect(stdout).toContain(`\nNothing is pending up to ${checks}.\n`);
  });

  test('prints plain lines without a terminal', async () => {
    const { code, stdout } = await migrate('redo');

    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^PostgreSQL at \S+ \(from DATABASE_URL\)$/),
      expect.stringMatching(new RegExp(`^  reverted ${checks} \\d+ ms$`)),
      expect.stringMatching(new RegExp(`^  applied ${checks} \\d+ ms$`)),
      '',
    ]);
  });

  test.each([
    [['up', '--to', 'tree_ruls'], 1, `did you mean ${tree}?`],
    [['down', '--to', 'inital_schema'], 1, `did you mean ${initial}?`],
  ])('%j exits with %i and suggests a name', async (args, code, says) => {
    const refused = await migrate(...args, '--json');

    expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) });
  });

  test('reports every difference in one line', async () => {
    await migrate('up');
    const add = (name: string) =>
      db.orm.em.execute('insert into mikro_orm_migrations (name) values (?)', [name]);
    for (const name of ['Migration20000101000000_lost', 'Migration29990101000000_new']) await add(name);

    const { code, stderr } = await migrate('up');
    const { stdout } = await migrate('status');

    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^synthdb: Migration20000101000000_lost is applied, but its file is missing: /),
      expect.stringMatching(/^Migration29990101000000_new is applied and newer than this code: /),
    ]);
    expect(stdout).toMatch(
      /Migration20000101000000_lost +missing .*\n(?:.*\n)*Migration29990101000000_new +ahead /,
    );
    await db.orm.em.execute(`delete from mikro_orm_migrations where name ~ '_(lost|new)$'`);
  });

  test('requires the name of the database when rows would be lost', async () => {
    const { database } = db.target.parts;
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

describe('invalid usage', () => {
  test.each([
    [['down', '--steps', '0'], `option '--steps <n>' argument '0' is invalid. Expected a positive integer`],
    [['plan', 'down', '--steps', 'two'], `'--steps <n>' argument 'two' is invalid`],
    [['down', '--steps', '1', '--to', initial], 'cannot be used with'],
    [['down', '--all', '--to', initial], 'cannot be used with'],
    [
      ['up', '--lock-wait', 'long'],
      `option '--lock-wait <seconds>' argument 'long' is invalid. Expected a number of seconds`,
    ],
    [['up', '--sideways'], `unknown option '--sideways'`],
    [['up', '--sideways'], 'synthdb migrate up --help'],
  ])('%j exits with 2 without connecting', async (args, says) => {
    // Nobody listens there.
    const environment = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' };

    const { code, stdout, stderr } = await run(['migrate', ...args], tmpdir(), environment);

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
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
    expect(JSON.parse(stdout).reverted).toEqual(ran([initial], 'down'));
  });
});
