import { Migrator, type LintReport } from 'mikro-orm-safe-migrations';
import { exampleSchema } from '../../src/lint/rules/example-schema.ts';
import type { ExampleMigration } from '../../src/lint/rules/rule.ts';
import { rules } from '../../src/lint/rules.ts';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';

/** Statements that create the examples' schema anew. */
export const again: readonly string[] = [
  'drop schema public cascade',
  'create schema public',
  'drop schema if exists archive, history cascade',
  ...exampleSchema,
];

// Each example follows the schema that it changes, created anew.
const chain: Migrations = Object.fromEntries(
  rules.flatMap(({ name, unsafe, safe }): [string, ExampleMigration][] => [
    [`${name}: before unsafe`, { up: again }],
    [`${name}: unsafe`, unsafe],
    [`${name}: before safe`, { up: again }],
    ...safe.map((one, index): [string, ExampleMigration] => [`${name}: safe ${index + 1}`, one]),
  ]),
);

/** The names of the examples' migrations: `rule: unsafe`, `rule: safe 1`. */
export const exampleNames: readonly string[] = Object.keys(chain).filter((name) => !name.includes('before'));

/** Lints the examples of all rules, on one scratch database. */
export async function lintExamples(): Promise<LintReport> {
  await using db = await TestDatabase.create();
  const orm = projectOn(db.url, chain);
  try {
    return await new Migrator(orm).lint({ migrations: exampleNames });
  } finally {
    await orm.close(true);
  }
}
