import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

type Outcome = 'passed' | 'failed' | 'skipped' | 'todo';

interface Step {
  readonly status?: number;
  readonly tests?: Record<string, Outcome>;
  /** What a file says that could not be run. */
  readonly broken?: string;
}

/** What the summary of a run with these steps prints, and its exit code. */
async function sumUp(steps: Record<string, Step>): Promise<{ lines: string[]; code: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'synthdb-sum-up-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const rows: string[] = [];
  for (const [heading, { status = 0, tests, broken }] of Object.entries(steps)) {
    const report = join(directory, `${rows.length}.json`);
    if (tests !== undefined || broken !== undefined) await writeFile(report, reportOf(tests ?? {}, broken));
    rows.push(`${status}\t${report}\t${heading}\n`);
  }
  await writeFile(join(directory, 'steps'), rows.join(''));
  const script = join(import.meta.dirname, '../../.ci/sum-up.mjs');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, join(directory, 'steps')], (_error, stdout) =>
      resolve({ lines: stdout.trimEnd().split('\n'), code: child.exitCode ?? -1 }),
    );
  });
}

function reportOf(tests: Record<string, Outcome>, message = ''): string {
  const assertionResults = Object.entries(tests).map(([fullName, status]) => ({ fullName, status }));
  const failed = message !== '' || Object.values(tests).includes('failed');
  return JSON.stringify({
    testResults: [
      {
        name: `${process.cwd()}/test/a.test.ts`,
        status: failed ? 'failed' : 'passed',
        message,
        assertionResults,
      },
    ],
  });
}

test('adds up the tests of all steps; a step without any counts as one', async () => {
  const { lines, code } = await sumUp({
    check: {},
    'make test': { tests: { one: 'passed', two: 'passed' } },
    again: { tests: { one: 'passed' } },
  });

  expect(lines).toEqual(['4 passed, 0 failed']);
  expect(code).toBe(0);
});

test('names what failed', async () => {
  const { lines, code } = await sumUp({
    check: { status: 2 },
    'make test': { status: 1, tests: { one: 'passed', two: 'failed' } },
  });

  expect(lines).toEqual(['failed: check', 'failed: make test: test/a.test.ts: two', '1 passed, 2 failed']);
  expect(code).toBe(1);
});

test('counts a file that could not run, and a run that failed although its tests passed', async () => {
  const { lines, code } = await sumUp({
    first: { status: 1, broken: 'Cannot find module\nat somewhere' },
    second: { status: 1, tests: { one: 'passed' } },
  });

  expect(lines).toEqual([
    'failed: first: test/a.test.ts: Cannot find module',
    'failed: second',
    '1 passed, 2 failed',
  ]);
  expect(code).toBe(1);
});

test('counts a test as failed that every run skipped, not one that some run executed', async () => {
  const { lines, code } = await sumUp({
    first: { tests: { one: 'skipped', two: 'skipped', three: 'todo' } },
    second: { tests: { one: 'passed', two: 'skipped' } },
  });

  expect(lines).toEqual([
    'failed: skipped in every run: test/a.test.ts: two',
    'failed: skipped in every run: test/a.test.ts: three',
    '1 passed, 2 failed',
  ]);
  expect(code).toBe(1);
});
