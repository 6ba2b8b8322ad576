import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LintReport } from 'mikro-orm-safe-migrations';
import type { ExampleMigration } from '../../src/lint/rules/rule.ts';
import { rules } from '../../src/lint/rules.ts';
import { lintExamples } from './example-chain.ts';

const squawk = join(import.meta.dirname, '../../../../node_modules/.bin/squawk');

/** Our rules for each rule of squawk. */
const counterparts: Readonly<Record<string, readonly string[]>> = {
  'adding-field-with-default': ['volatile-default', 'generated-column', 'identity-column'],
  'adding-foreign-key-constraint': ['add-foreign-key'],
  'adding-not-nullable-field': ['set-not-null'],
  'adding-required-field': ['add-required-column'],
  'adding-serial-primary-key-field': ['add-primary-key'],
  'ban-alter-domain-with-add-constraint': ['alter-domain-constraint'],
  'ban-drop-column': ['drop-column'],
  'ban-drop-table': ['drop-table'],
  'changing-column-type': ['change-type', 'serial-type'],
  'constraint-missing-not-valid': [
    'add-foreign-key',
    'add-check',
    'add-unique',
    'add-primary-key',
    'add-exclusion',
    'validate-in-same-transaction',
  ],
  'disallowed-unique-constraint': ['add-unique'],
  'identifier-too-long': ['identifier-too-long'],
  'renaming-column': ['rename-column'],
  'renaming-table': ['rename-table'],
  'require-concurrent-index-creation': ['create-index'],
  'require-concurrent-index-deletion': ['drop-index'],
  'require-concurrent-partition-detach': ['detach-partition'],
  'require-concurrent-reindex': ['reindex'],
};

/** Rules of squawk that have no counterpart, and why. */
const others: Readonly<Record<string, string>> = {
  'require-lock-timeout': 'the migrator sets it',
  'require-statement-timeout': 'the migrator sets it',
  'prefer-robust-stmts': 'the migrator records what is done, and drops an invalid index',
  'prefer-bigint-over-int': 'style',
  'prefer-identity': 'style',
  'require-enum-value-ordering': 'style',
};

/** What squawk reports in safe forms, and why it is wrong there. */
const disagreements: Readonly<Record<string, readonly string[]>> = {
  // A validated check proves it, and the server skips the scan.
  'set-not-null: safe 3': ['adding-not-nullable-field'],
  'add-primary-key: safe 3': ['adding-not-nullable-field'],
  // It is added not valid.
  'alter-domain-constraint: safe 1': ['ban-alter-domain-with-add-constraint'],
};

function opinionOf({ up, transactional = true }: ExampleMigration): string[] {
  const options = [
    '--reporter',
    'json',
    '--stdin-filepath',
    'a.sql',
    ...(transactional ? ['--assume-in-transaction'] : []),
  ];
  const { stdout, status, stderr } = spawnSync(squawk, options, {
    input: `${up.join(';\n')};\n`,
    encoding: 'utf8',
  });
  if (status !== 0 && status !== 1) throw new Error(`squawk failed: ${stderr}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the documented form of its report
  const found = JSON.parse(stdout) as readonly { readonly rule_name: string }[];
  return [...new Set(found.map(({ rule_name: rule }) => rule))].filter((rule) => !(rule in others));
}

let report: LintReport;

beforeAll(async () => {
  report = await lintExamples();
});

describe('what squawk finds in an unsafe form is found', () => {
  test.each(rules)('$name', ({ name, unsafe }) => {
    const found = new Set(
      report.findings.filter(({ migration }) => migration === `${name}: unsafe`).map(({ rule }) => rule),
    );

    const missed = opinionOf(unsafe).filter(
      (rule) => !counterparts[rule]?.some((counterpart) => found.has(counterpart)),
    );

    expect(missed).toEqual([]);
  });
});

describe('squawk finds nothing in a safe form', () => {
  test.each(rules)('$name', ({ name, safe }) => {
    for (const [index, one] of safe.entries())
      expect(opinionOf(one)).toEqual(disagreements[`${name}: safe ${index + 1}`] ?? []);
  });
});
