import { tmpdir } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrateDown, migrateUp } from '../schema/migrate.ts';
import { OutsideSession } from '../../packages/migrator/test/kit/outside-session.ts';
import { addExperiment } from './experiment.ts';
import { main, synthdb as run, type Run } from './run.ts';
import { hasTerminals, onTerminal, type Seen } from './terminal.ts';

const initial = 'Migration20261121030000_initial_schema';
const checks = 'Migration20261121030100_domain_checks';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestServer.shared().createEmptyDatabase();
  await migrateUp(db.orm, initial);
});
afterAll(() => db.drop());

function migrate(...args: string[]): Promise<Run> {
  return run(['migrate', ...args], tmpdir(), { DATABASE_URL: db.url });
}

/** What a terminal is sent, whose user types `keys` when asked. */
function migrateOnTerminal(
  environment: Record<string, string>,
  args: string[],
  keys?: string,
): Promise<Seen> {
  return onTerminal([process.execPath, main, 'migrate', ...args], {
    environment: { DATABASE_URL: db.url, ...environment },
    ...(keys !== undefined && { keys }),
  });
}

async function applied(): Promise<number> {
  return (await new Migrator(db.orm).status()).filter(({ appliedAt }) => appliedAt !== null).length;
}

describe('a runner that waits', () => {
  test('reports its blocker; another runner waits for the lock, or exits with 4 after --lock-wait', async () => {
    await using outside = await OutsideSession.holding(db, 'lock table experiments in access share mode');
    const first = migrate('up', '--to', checks);
    await outside.waiting(1, 'experiments');
    const second = await migrate('up', '--to', checks, '--lock-wait', '0.6');
    await outside.release();
    const { code, stdout } = await first;

    const holder = String.raw`\S+@\S+ \(process \d+\)`;
    expect(second).toEqual({
      code: 4,
      stdout: expect.stringMatching(new RegExp(`^PostgreSQL at .*\n  waiting for ${holder}\n$`)),
      stderr: expect.stringMatching(
        new RegExp(`^synthdb: ${holder} still holds the lease of this database after .* --lock-wait`),
      ),
    });
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes('waits for'))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^  ${checks} waits for a lock held by \\S+, \\S+, idle in transaction \\(process \\d+\\)$`,
        ),
      ),
    ]);
  });
});

describe.skipIf(!hasTerminals)('on a terminal', () => {
  beforeAll(async () => {
    // Whatever the test before came to.
    await migrateUp(db.orm, checks);
    await migrateDown(db.orm);
  });

  test('shows the running statement in one line, which it removes', async () => {
    const { sent } = await migrateOnTerminal({}, ['up', '--to', checks]);

    const erased = `\r\u001B[K`;
    expect(sent).toContain(`${erased}  \u001B[2m0.0 s \u001B[22m${checks} 1/`);
    const last = stripVTControlCharacters(sent.slice(sent.lastIndexOf(erased) + erased.length));
    expect(sent.slice(0, sent.indexOf('  applied'))).toMatch(/\r.\[K$/);
    expect(last).toMatch(/1 applied\./);
    expect(stripVTControlCharacters(sent)).toMatch(new RegExp(`  applied ${checks} \\d+ ms\r\n`));
  });

  test('has no colours with NO_COLOR', async () => {
    const { sent } = await migrateOnTerminal({ NO_COLOR: '1' }, ['redo']);

    expect(sent).toContain(`  applied ${checks}`);
    // oxlint-disable-next-line no-control-regex -- colours begin with one
    expect(sent).not.toMatch(/\u001B\[\d+m/);
  });

  test('rewrites no line on a dumb terminal', async () => {
    expect((await migrateOnTerminal({ TERM: 'dumb' }, ['redo'])).sent).not.toContain('\u001B[K');
  });

  describe('when rows would be lost', () => {
    beforeAll(() => addExperiment(db));

    // Enter, a wrong name, the end of input, and an interruption.
    test.each([
      ['\n', 2, '"" is not the name of'],
      ['another\n', 2, '"another" is not the name of'],
      ['\u0004', 2, '"" is not the name of'],
      ['\u0003', 130, 'interrupted; nothing was changed'],
    ])('prompts for the name of the database; %j exits with %i', async (keys, code, says) => {
      const before = await applied();

      const seen = await migrateOnTerminal({}, ['down', '--all'], keys);

      expect(seen).toEqual({ code, sent: expect.stringContaining(says) });
      expect(seen.sent).toContain('would lose data of experiments. Type "');
      expect(await applied()).toBe(before);
    });

    test('continues when the name is typed', async () => {
      const { database } = db.target.parts;

      const seen = await migrateOnTerminal({}, ['down', '--all'], `${database}\n`);

      expect(seen).toEqual({ code: 0, sent: expect.stringContaining(`reverted ${initial}`) });
      expect(seen.sent).toContain(`Type "${database}" to confirm: `);
    });
  });
});
