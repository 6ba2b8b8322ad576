import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { main, type Run } from './run.ts';

const command = `'${process.execPath}' '${main}'`;

let db: TestDatabase;
let directory: string;
beforeAll(async () => {
  db = await TestServer.shared().createDatabase();
  directory = await mkdtemp(join(tmpdir(), 'lost-output-'));
  await writeFile(join(directory, 'package.json'), '{}');
  await writeFile(join(directory, 'rows.jsonl'), '{"id":"exp_1","name":"one","hypothesis":"is it?"}\n');
  await writeFile(join(directory, 'facts.jsonl'), '{"group":"g1"}\n');
  const groups = { name: 'groups', source: 'group', entity: 'SynthGroup', key: 'id' };
  const columns = [{ target: 'name', source: 'group' }];
  await writeFile(join(directory, 'backfill.json'), JSON.stringify({ targets: [{ ...groups, columns }] }));
});
afterAll(async () => {
  await db.drop();
  await rm(directory, { recursive: true });
});

/** Runs a line of bash in which `synthdb` is the command. */
function bash(line: string, url = db.url): Promise<Run> {
  const script = `synthdb() { ${command} "$@"; }; ${line}`;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      'bash',
      ['--norc', '-c', script],
      { cwd: directory, env: { PATH, NODE_COMPILE_CACHE, DATABASE_URL: url } },
      (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

const lost = 'synthdb: standard output could not be written: ENOSPC: no space left on device, write;';

describe.skipIf(!existsSync('/dev/full'))('on a full disk', () => {
  test.each([
    '--help',
    '--version',
    'migrate up --help',
    'config',
    'config --json',
    'doctor',
    'doctor --json',
    'migrate up --json',
    'migrate redo',
    'migrate redo --json',
    'migrate down',
    'migrate up',
    'migrate status',
    'migrate status --json',
    'migrate plan',
    'migrate plan --json',
    'migrate plan down --all',
    'migrate plan --from none --json',
    'migrate check',
    'migrate check --json',
    'migrate create nothing',
    'migrate create nothing --json',
    `migrate baseline ${migrationChain.at(-1)}`,
    `migrate baseline ${migrationChain.at(-1)} --json`,
    'demo',
    'demo --json',
    'load rows.jsonl --entity Experiment --mode upsert',
    'load rows.jsonl --entity Experiment --mode upsert --json',
    'load rows.jsonl --entity Experiment --mode upsert --dry-run',
    'backfill facts.jsonl --config backfill.json',
    'backfill facts.jsonl --config backfill.json --json',
    'backfill facts.jsonl --config backfill.json --dry-run',
  ])('%s exits with 5, and reports that its output is lost', async (args) => {
    const { code, stderr } = await bash(`synthdb ${args} > /dev/full`);

    expect(stderr).toContain(lost);
    expect(code).toBe(5);
  });

  test('a failure keeps its exit code', async () => {
    const failed = await bash('synthdb migrate up --to nothing_like_it > /dev/full');
    const wrong = await bash('synthdb migrate up --sideways > /dev/full');

    expect([failed.code, wrong.code]).toEqual([1, 2]);
  });

  test('replaces exit code 3 by 5, since the findings are incomplete', async () => {
    const args = `migrate status --exit-code`;

    expect(await bash(`synthdb ${args}`)).toMatchObject({ code: 0 });
    await new Migrator(db.orm).down();
    expect(await bash(`synthdb ${args}`)).toMatchObject({ code: 3 });
    expect(await bash(`synthdb ${args} > /dev/full`)).toMatchObject({ code: 5 });
    await new Migrator(db.orm).up();
  });

  test('exits with 5 when the help can not be printed', async () => {
    expect(await bash('synthdb migrate up --to nothing_like_it 2> /dev/full')).toMatchObject({ code: 1 });
    expect(await bash('synthdb migrate up > /dev/full 2> /dev/full')).toMatchObject({ code: 5 });
  });
});

test('a truncated output file is an error', async () => {
  // As `df` with 8 KiB left: bash counts in units of 1,024 bytes.
  const { code, stderr } = await bash('ulimit -f 8; synthdb migrate plan --from none > plan.sql || exit $?');

  expect({ code, stderr }).toEqual({
    code: 5,
    stderr: expect.stringContaining('standard output could not be written: EFBIG'),
  });
  expect((await stat(join(directory, 'plan.sql'))).size).toBe(8_192);
});

test('an output file is complete', async () => {
  const { code } = await bash('synthdb migrate plan --from none > plan.sql');
  const { stdout } = await bash('synthdb migrate plan --from none');

  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(20_000);
  expect(await readFile(join(directory, 'plan.sql'), 'utf8')).toBe(stdout);
});

describe('a reader that closes its pipe early', () => {
  test.each(['migrate plan --from none', 'migrate plan --from none --json', 'config --json', '--help'])(
    '%s ends with 5, quietly',
    async (args) => {
      // `true` reads nothing, and is gone by then.
      const { stdout, stderr } = await bash(`synthdb ${args} | true; echo \${PIPESTATUS[0]}`);

      expect({ stdout, stderr }).toEqual({ stdout: '5\n', stderr: '' });
    },
  );

  test('does not stop a migration', async () => {
    const own = await TestServer.shared().createEmptyDatabase();
    try {
      const { stdout, stderr } = await bash('synthdb migrate up | true; echo ${PIPESTATUS[0]}', own.url);

      expect({ stdout, stderr }).toEqual({ stdout: '5\n', stderr: '' });
      const status = await new Migrator(own.orm).status();
      const conditions = status.filter(({ optional }) => optional === null).map(({ condition }) => condition);
      expect(conditions).toEqual(migrationChain.map(() => 'applied'));
      expect(await own.orm.em.execute('select holder from migrator.lease')).toEqual([{ holder: null }]);
    } finally {
      await own.drop();
    }
  });
});

describe('a slow reader', () => {
  const streams = join(import.meta.dirname, '../../packages/migrator/src/terminal/standard-streams.ts');
  // More than a pipe holds, by a process whose event loop is watched meanwhile.
  const program = `
    import { flushOutput, writeTo } from ${JSON.stringify(streams)};
    let beats = 0;
    const heart = setInterval(() => beats++, 10);
    if (process.argv[1] === 'nonblocking') process.stdout;
    for (let line = 0; line < 20_000; line++) void writeTo(1, 'x'.repeat(99) + '\\n');
    const lost = await flushOutput();
    clearInterval(heart);
    console.error(JSON.stringify({ lost, beats }));`;

  test.each(['blocking', 'nonblocking'])(
    'receives all output from a %s pipe, and does not block the event loop',
    async (kind) => {
      await writeFile(join(directory, 'writer.mjs'), program);

      const { code, stdout, stderr } = await bash(
        `set -o pipefail; '${process.execPath}' --input-type=module -e "$(cat writer.mjs)" ${kind} | { sleep 1; wc -c; }`,
      );

      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: '2000000' });
      const { lost: gone, beats }: { lost: unknown[]; beats: number } = JSON.parse(stderr);
      expect(gone).toEqual([]);
      expect(beats).toBeGreaterThan(20);
    },
  );
});
