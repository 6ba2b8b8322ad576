import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrateDown, migrateUp } from '../schema/migrate.ts';
import { OutsideSession } from '../schema/outside-session.ts';
import { synthdb as run, type Run } from './run.ts';

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

interface Seen {
  readonly code: number | null;
  readonly sent: string;
}

/** What a terminal is sent, whose user gives `answer` when asked. */
async function onTerminal(environment: Record<string, string>, args: string[], answer = ''): Promise<Seen> {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  const command = [process.execPath, main, 'migrate', ...args].map((part) => `'${part}'`).join(' ');
  const env = { PATH: process.env['PATH'], TERM: 'xterm', DATABASE_URL: db.url, ...environment };
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { cwd: tmpdir(), env });
  let sent = '';
  terminal.stdout.on('data', (data: Buffer) => {
    sent += data.toString();
    if (stripVTControlCharacters(sent).endsWith('to go on: ')) terminal.stdin.write(`${answer}\n`);
  });
  await once(terminal, 'close');
  return { code: terminal.exitCode, sent };
}

describe('a runner that waits', () => {
  test('says who is in its way; another waits for it, or ends with 4 when that takes too long', async () => {
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
      stderr: expect.stringMatching(new RegExp(`^synthdb: ${holder} has been migrating .* --lock-wait`)),
    });
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes('waits for'))).toEqual([
      expect.stringMatching(
        new RegExp(`^  ${checks} waits for a lock of \\S+, \\S+, idle in transaction \\(process \\d+\\)$`),
      ),
    ]);
  });
});

describe.skipIf(spawnSync('script', ['--version']).status !== 0)('on a terminal', () => {
  beforeAll(async () => {
    // Whatever the test before came to.
    await migrateUp(db.orm, checks);
    await migrateDown(db.orm);
  });

  test('shows the statement under way in one line that is taken back', async () => {
    const { sent } = await onTerminal({}, ['up', '--to', checks]);

    const erased = `\r\u001B[K`;
    expect(sent).toContain(`${erased}  \u001B[2m0.0 s \u001B[22m${checks} 1/`);
    const last = stripVTControlCharacters(sent.slice(sent.lastIndexOf(erased) + erased.length));
    expect(sent.slice(0, sent.indexOf('  applied'))).toMatch(/\r.\[K$/);
    expect(last).toMatch(/1 applied\./);
    expect(stripVTControlCharacters(sent)).toMatch(new RegExp(`  applied ${checks} \\d+ ms\r\n`));
  });

  test('has no colours where NO_COLOR says so', async () => {
    const { sent } = await onTerminal({ NO_COLOR: '1' }, ['redo']);

    expect(sent).toContain(`  applied ${checks}`);
    // oxlint-disable-next-line no-control-regex -- colours begin with one
    expect(sent).not.toMatch(/\u001B\[\d+m/);
  });

  test('takes no line back where the terminal can not', async () => {
    expect((await onTerminal({ TERM: 'dumb' }, ['redo'])).sent).not.toContain('\u001B[K');
  });

  test('asks for the name of the database, and takes nothing else', async () => {
    const { database } = db.target.parts;

    const refused = await onTerminal({}, ['down', '--all'], 'another');
    const meant = await onTerminal({}, ['down', '--all'], database);

    expect(refused).toEqual({ code: 2, sent: expect.stringContaining(`Type "${database}" to go on: `) });
    expect(refused.sent).toContain('"another" is not the name of');
    expect(meant).toEqual({ code: 0, sent: expect.stringContaining(`reverted ${initial}`) });
  });
});
