import { beforeAll, describe, expect, test } from 'vitest';
import { Migrator, type LintReport } from 'mikro-orm-safe-migrations';
import { exampleSchema } from '../../src/lint/rules/example-schema.ts';
import { rules } from '../../src/lint/rules.ts';
import type { ExampleMigration } from '../../src/lint/rules/rule.ts';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';

const again = {
  up: [
    'drop schema public cascade',
    'create schema public',
    'drop schema if exists archive, history cascade',
    ...exampleSchema,
  ],
};

/** A chain in which each example follows the schema that it changes, created anew. */
const chain: Migrations = Object.fromEntries(
  rules.flatMap(({ name, unsafe, safe }): [string, ExampleMigration][] => [
    [`${name}: before unsafe`, again],
    [`${name}: unsafe`, unsafe],
    [`${name}: before safe`, again],
    ...safe.map((one, index): [string, ExampleMigration] => [`${name}: safe ${index + 1}`, one]),
  ]),
);

const examples = Object.keys(chain).filter((name) => !name.includes('before'));
let report: LintReport;

beforeAll(async () => {
  const db = await TestDatabase.create();
  const orm = projectOn(db.url, chain);
  try {
    report = await new Migrator(orm).lint({ migrations: examples });
  } finally {
    await orm.close(true);
    await db.drop();
  }
});

test('every example is linted', () => {
  expect(report.notLinted).toEqual([]);
  expect(report.migrations).toEqual(examples);
});

describe.each(rules.map(({ name }) => name))('%s', (name) => {
  const found = (form: string) =>
    report.findings.filter(({ migration }) => migration.startsWith(`${name}: ${form}`));

  test('flags the unsafe form', () => {
    expect(found('unsafe').map(({ rule }) => rule)).toContain(name);
  });

  test('flags nothing in the safe form', () => {
    expect(found('safe').map(({ rule, object, sql }) => ({ rule, object, sql }))).toEqual([]);
  });
});
