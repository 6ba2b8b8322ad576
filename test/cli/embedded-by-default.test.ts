import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main, synthdb, type Run } from './run.ts';

const clone = join(import.meta.dirname, '../..');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
  await writeFile(join(directory, 'package.json'), '{}');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

// Shows that a server would be started, and starts none.
const noServer = { PG_MAJOR: 'none' };
const wouldStart = {
  code: 1,
  stdout: '',
  stderr: 'synthdb: PG_MAJOR is "none"; expected a major version such as 18\n',
};

const run = (
  environment: Record<string, string>,
  { command = ['migrate', 'up'], where = directory } = {},
): Promise<Run> => synthdb(command, where, { ...noServer, ...environment });

function refused(because: string): Run {
  return {
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        `^synthdb: DATABASE_URL is not set, and the embedded server is not the default ${because}; .*; for example DATABASE_URL=embedded\n$`,
      ),
    ),
  };
}

const ci = String.raw`in CI \(CI is set\)`;
const noTerminal = 'in a process without a terminal unless NODE_ENV=development';

describe('without a URL, the embedded server is refused', () => {
  test.each([
    ['with NODE_ENV=production', { NODE_ENV: 'production' }],
    ['with NODE_ENV=Production', { NODE_ENV: 'Production' }],
    ['with NODE_ENV=staging', { NODE_ENV: 'staging' }],
    [ci, { CI: 'true' }],
    [ci, { CI: '1', NODE_ENV: 'test' }],
  ] as const)('%s, in a clone too', async (because, environment) => {
    expect(await run(environment)).toEqual(refused(because));
    expect(await run(environment, { where: clone })).toEqual(refused(because));
    expect(existsSync(join(directory, '.data'))).toBe(false);
  });

  test('without a terminal, where the package is installed', async () => {
    expect(await run({})).toEqual(refused(noTerminal));
  });

  test('by NODE_ENV in .env too', async () => {
    await writeFile(join(directory, '.env'), 'NODE_ENV=production\n');

    expect(await run({})).toEqual(refused('with NODE_ENV=production'));
  });

  test.each([
    [['migrate', 'down']],
    [['migrate', 'status']],
    [['migrate', 'plan']],
    [['migrate', 'check']],
    [['migrate', 'create', 'add_tags']],
    [['doctor']],
    [['demo']],
  ])('by synthdb %j', async (command) => {
    expect(await run({ NODE_ENV: 'production' }, { command })).toEqual(refused('with NODE_ENV=production'));
  });

  test('by openDatabase', async () => {
    const script = `import { openDatabase } from '${clone}/src/index.ts';
      await openDatabase().catch(({ name, message }) => console.log(name + ': ' + message));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...noServer, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

    const [said] = await once(child.stdout, 'data');

    expect(String(said)).toMatch(/^SettingsError: DATABASE_URL is not set, .* with NODE_ENV=production/);
  });
});

describe('a line of .env that seems to be a mistake prevents the embedded default', () => {
  test.each([
    ['DATABASE_URI=postgresql://u@h/d', 'while .env sets a PostgreSQL URL under another name (DATABASE_URI)'],
    [
      'DATABSE_URL=postgres+asyncpg://u@h/d',
      'while .env sets a PostgreSQL URL under another name (DATABSE_URL)',
    ],
    ['NODE_ENV: production', 'while line 1 of .env seems to set NODE_ENV'],
  ])('%s', async (line, says) => {
    await writeFile(join(directory, '.env'), `${line}\n`);

    const { code, stderr } = await run({}, { where: directory });

    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });
});

describe('the embedded server is started', () => {
  test.each([
    ['with NODE_ENV=development', { NODE_ENV: 'development' }],
    ['with NODE_ENV=test', { NODE_ENV: 'test' }],
    ['with DATABASE_URL=embedded', { DATABASE_URL: 'embedded' }],
    ['with DATABASE_URL=embedded in production', { DATABASE_URL: 'embedded', NODE_ENV: 'production' }],
    ['with DATABASE_URL=embedded in CI', { DATABASE_URL: 'embedded', CI: 'true' }],
    ['with MIGRATION_DATABASE_URL=embedded', { MIGRATION_DATABASE_URL: 'embedded', CI: 'true' }],
  ] as const)('%s', async (_, environment) => {
    expect(await run(environment)).toEqual(wouldStart);
  });

  test.each(['DATABASE_URL=embedded', 'NODE_ENV=development'])('with %s in .env', async (line) => {
    await writeFile(join(directory, '.env'), `${line}\n`);

    expect(await run({})).toEqual(wouldStart);
  });

  test.each([{}, { CI: 'false' }])('in a clone, without a terminal: %j', async (environment) => {
    expect(await run(environment, { where: clone })).toEqual(wouldStart);
  });

  test('on a terminal', async () => {
    const command = `'${process.execPath}' '${main}' migrate up`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...noServer, NO_COLOR: '1' },
    });
    let sent = '';
    terminal.stdout.on('data', (data: Buffer) => (sent += data.toString()));

    await once(terminal, 'close');

    expect(sent).toContain('PG_MAJOR is "none"');
  });

  test.each([[['db', 'start']], [['db', 'url']], [['db', 'reset', '--confirm', 'synthlab']]])(
    'by synthdb %j, which manages the embedded server only',
    async (command) => {
      expect(await run({ CI: 'true' }, { command })).toEqual(wouldStart);
    },
  );
});

describe('an empty DATABASE_URL', () => {
  test.each(['', ' ', '\u00a0\u200b'])(
    '%j is refused by every command, and creates nothing',
    async (value) => {
      for (const command of [
        ['migrate', 'up'],
        ['db', 'url'],
        ['doctor'],
        ['config'],
        ['db', 'reset', '--confirm', 'synthlab'],
      ]) {
        const { code, stdout, stderr } = await run(
          { DATABASE_URL: value, NODE_ENV: 'development' },
          { command },
        );

        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(stderr).toMatch(/^synthdb: DATABASE_URL is (?:empty|blank); .*; for example DATABASE_URL=/);
      }
      expect(existsSync(join(directory, '.data'))).toBe(false);
    },
  );
});

test('commands without a database ignore DATABASE_URL', async () => {
  const production = { NODE_ENV: 'production' };

  expect(await run(production, { command: ['config'] })).toMatchObject({ code: 0 });
  expect(await run(production, { command: ['migrate', 'plan', '--from', 'none'] })).toMatchObject({
    code: 0,
  });
});

test('refuses a .env in UTF-16, and creates nothing', async () => {
  const url = 'postgresql://ann:canary@127.0.0.1:1/lab';
  await writeFile(join(directory, '.env'), Buffer.from(`\uFEFFDATABASE_URL=${url}\r\n`, 'utf16le'));

  const { code, stdout, stderr } = await run({ NODE_ENV: 'production', CI: '1' });

  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('the file is not UTF-8; save it as UTF-8');
  expect(stderr).not.toContain('canary');
  expect(existsSync(join(directory, '.data'))).toBe(false);
});
