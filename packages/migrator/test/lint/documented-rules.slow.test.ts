import { beforeAll, expect, test } from 'vitest';
import { Migrator, type LintReport } from 'mikro-orm-safe-migrations';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';
import { documentedRules, documentedSchema, type DocumentedRule } from './documented-rules.ts';

const reset = {
  up: ['drop schema public cascade', 'create schema public', ...documentedSchema.up],
};
const titled = documentedRules.map((one) => ({ title: `${one.linter}: ${one.rule}`, ...one }));
const safeNames = (title: string, { safe = [] }: DocumentedRule): string[] =>
  safe.map((_, index) => `${title}, safe ${index + 1}`);

let report: LintReport;

beforeAll(async () => {
  await using db = await TestDatabase.create();
  const chain: Migrations = Object.fromEntries(
    titled.flatMap(({ title, ...one }) => [
      [`${title}, reset`, reset],
      [`${title}, unsafe`, one.unsafe],
      [`${title}, reset again`, reset],
      ...safeNames(title, one).map((name, index) => [name, one.safe?.[index] ?? { up: [] }] as const),
    ]),
  );
  const orm = projectOn(db.url, chain);
  try {
    const migrations = Object.keys(chain).filter((name) => !name.includes(', reset'));
    report = await new Migrator(orm).lint({ migrations });
  } finally {
    await orm.close(true);
  }
});

const rulesIn = (name: string): string[] => [
  ...new Set(report.findings.flatMap(({ migration, rule }) => (migration === name ? [rule] : []))),
];

test('every form is linted', () => {
  expect(report.notLinted).toEqual([]);
});

test.each(titled)('$title', ({ title, ...one }) => {
  expect(rulesIn(`${title}, unsafe`)).toEqual(one.ours);
  expect(one.ours.length === 0).toBe(one.why !== undefined);
  expect(safeNames(title, one).flatMap(rulesIn)).toEqual([]);
});
