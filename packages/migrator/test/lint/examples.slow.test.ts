import { beforeAll, describe, expect, test } from 'vitest';
import type { Finding, LintReport } from 'mikro-orm-safe-migrations';
import { rules } from '../../src/lint/rules.ts';
import { exampleNames, lintExamples } from './example-chain.ts';

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
