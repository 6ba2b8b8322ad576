import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { codeBlocks } from './code-blocks.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());

test.each(codeBlocks.filter(({ language }) => language === 'sql'))('$place runs', async ({ code }) => {
  const run = db.rollback(async ({ em }) => {
    // The table of a service that the page speaks of, and a name of a role that is free in every run.
    await em.execute('create table notes (tenant_id text not null)');
    const renamed = code.replaceAll(/\bapp\b(?!\.)/g, `app_${db.target.parts.database}`);
    // In a transaction, an index can't be built concurrently.
    await em.execute(renamed.replaceAll('create index concurrently', 'create index'));
  });

  await expect(run).resolves.toBeUndefined();
});

test.each(codeBlocks.filter(({ language }) => language === 'json'))('$place is JSON', ({ code }) => {
  expect(() => JSON.parse(code)).not.toThrow();
});

test('every block has a language that is checked, or that has no checker here', () => {
  const checked = ['ts', 'sh', 'sql', 'json'];
  const unchecked = ['py', 'yaml', ''];

  expect(codeBlocks.filter(({ language }) => ![...checked, ...unchecked].includes(language))).toEqual([]);
});
