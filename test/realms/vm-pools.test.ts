import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { TestDatabase } from '../../src/testing/index.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let db: TestDatabase;
beforeAll(async () => void (db = await TestDatabase.create()));
afterAll(() => db.drop());

const everything = `import ${JSON.stringify(join(import.meta.dirname, 'inside-realm.ts'))};`;
const opening = `
  import { expect, test } from 'vitest';
  import { openDatabase } from ${JSON.stringify(join(root, 'src/index.ts'))};
  test('opens', async () => (await openDatabase({ url: process.env.REALM_URL })).close());`;

/** A project of its own with one test file. */
async function project(tests: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'synthdb-realm-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await writeFile(join(directory, 'inside.test.ts'), tests);
  return directory;
}

const Results = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ title: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

/** What became of its tests in a pool of Vitest's. */
async function outcome(directory: string, pool: string, environment: NodeJS.ProcessEnv) {
  const results = join(directory, 'results.json');
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--pool', pool];
  const patience = ['--testTimeout=180000', '--hookTimeout=180000'];
  await run(process.execPath, [...vitest, ...patience, '--reporter=json', `--outputFile=${results}`], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...environment },
  }).catch(() => {
    // It fails where a test does: the results tell which.
  });
  const { testResults } = Results.parse(JSON.parse(await readFile(results, 'utf8')));
  return testResults.flatMap(({ assertionResults }) => assertionResults);
}

test.each([
  ['vmForks', 'without .env'],
  ['vmThreads', 'with .env'],
])("everything works in Vitest's pool %s %s", async (pool, file) => {
  const directory = await project(everything);
  const isInFile = file === 'with .env';
  if (isInFile) await writeFile(join(directory, '.env'), `DATABASE_URL=${db.url}\n`);

  const results = await outcome(directory, pool, isInFile ? {} : { REALM_URL: db.url });

  expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
  expect(results.map(({ title }) => title)).toContain('this is a realm of its own');
});

test('an unreadable .env is refused in a realm', async () => {
  const directory = await project(opening);
  await mkdir(join(directory, '.env'));

  const [result] = await outcome(directory, 'vmForks', { REALM_URL: db.url });

  expect(result?.failureMessages.join('\n')).toMatch(/SettingsError: .*\.env can't be read/);
});
