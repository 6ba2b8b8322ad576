import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';

const source = join(import.meta.dirname, '../../src');

// What a command does with an error, in a process of its own: standard error is written past the console.
const script = `
  const { connect } = await import(${JSON.stringify(`${source}/postgres/orm/connect.ts`)});
  const { parseDatabaseUrl } = await import(${JSON.stringify(`${source}/settings/database-url.ts`)});
  const { reportFailure } = await import(${JSON.stringify(`${source}/cli/report-failure.ts`)});
  const orm = await connect(parseDatabaseUrl(process.argv[1], 'url'));
  await orm.em.fork().execute(process.argv[2]).catch(async (error) => (process.exitCode = await reportFailure(error)));
  await orm.close(true);`;

test.each([
  ['selekt 1', 'the statement is invalid (42601): syntax error at or near "selekt"'],
  [`select 'canary'::int`, 'a value is malformed (22P02)'],
])('reports a failed statement in one line: %s', async (statement, line) => {
  await using db = await TestDatabase.create();

  const failing = promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    script,
    db.url,
    statement,
  ]);

  await expect(failing).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^synthdb: .*\n$/),
  });
  await expect(failing).rejects.toMatchObject({ stderr: expect.stringContaining(`${line}\n`) });
});
