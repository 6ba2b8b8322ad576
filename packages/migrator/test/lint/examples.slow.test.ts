import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Finding, LintReport } from 'mikro-orm-safe-migrations';
import { rules } from '../../src/lint/rules.ts';
import { exampleNames, lintExamples } from './example-chain.ts';
import { listOf, pageOf } from './pages.ts';

const docs = join(import.meta.dirname, '../../docs/lint');
let report: LintReport;

beforeAll(async () => {
  report = await lintExamples();
});

test('every example is linted', () => {
  expect(report.notLinted).toEqual([]);
  expect(report.migrations).toEqual(exampleNames);
});

describe.each(rules.map(({ name }) => name))('%s', (name) => {
  const found = (form: string): Finding[] =>
    report.findings.filter(({ migration }) => migration.startsWith(`${name}: ${form}`));

  test('flags the unsafe form', () => {
    expect(found('unsafe').map(({ rule }) => rule)).toContain(name);
  });

  test('flags nothing in the safe form', () => {
    expect(found('safe').map(({ rule, object, sql }) => ({ rule, object, sql }))).toEqual([]);
  });
});

test('the list of rules has all', async () => {
  await expect(listOf(rules)).toMatchFileSnapshot(`${docs}/README.md`);
});

test.each(rules)('the page of $name is that of the rule', async (rule) => {
  await expect(pageOf(rule)).toMatchFileSnapshot(`${docs}/${rule.name}.md`);
});

test('there is no page of another rule', async () => {
  const pages = [...rules.map(({ name }) => name), 'README', 'silence'];

  expect((await readdir(docs)).toSorted()).toEqual(pages.map((name) => `${name}.md`).toSorted());
});
