import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rules } from '../../src/lint/rules.ts';
import type { Rule } from '../../src/lint/rules/rule.ts';
import { listOf, pageOf } from './pages.ts';

const docs = join(import.meta.dirname, '../../docs/lint');

test('the list of rules has all', async () => {
  await expect(listOf(rules)).toMatchFileSnapshot(`${docs}/README.md`);
});

test.each<Rule>(rules)('the page of $name is that of the rule', async (rule) => {
  await expect(pageOf(rule)).toMatchFileSnapshot(`${docs}/${rule.name}.md`);
});

test('there is no page of another rule', async () => {
  const pages = [...rules.map(({ name }) => name), 'README', 'silence'];

  expect((await readdir(docs)).toSorted()).toEqual(pages.map((name) => `${name}.md`).toSorted());
});
