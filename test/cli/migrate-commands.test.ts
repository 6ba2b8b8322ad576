import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
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
      prechecks: [],
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
        optional: null,
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
