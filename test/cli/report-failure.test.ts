import { expect, test, vi } from 'vitest';
import { reportFailure } from '../../src/cli/report-failure.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { failureOf } from '../database/told.ts';

test.each([
  ['selekt 1', 'wrong (42601): syntax error at or near "selekt"'],
  [`select 'canary'::int`, 'a value is malformed (22P02)'],
])('what fails at the shell is told in one line: %s', async (statement, line) => {
  await using db = await TestDatabase.create();
  using said = vi.spyOn(console, 'error').mockImplementation(() => {});

  const code = reportFailure(await failureOf(db.orm.em.fork().execute(statement)));

  expect(code).toBe(1);
  expect(said).toHaveBeenCalledTimes(1);
  expect(String(said.mock.lastCall).slice(-line.length)).toBe(line);
});
