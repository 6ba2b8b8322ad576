import type { Rule } from './rules/rule.ts';
import { columnRules } from './rules/columns.ts';
import { constraintRules } from './rules/constraints.ts';
import { dropRules } from './rules/drops.ts';
import { indexRules } from './rules/indexes.ts';
import { renameRules } from './rules/renames.ts';
import { schemaRules } from './rules/schema.ts';
import { storageRules } from './rules/storage.ts';
import { transactionRules } from './rules/transactions.ts';

/** Every rule of `lint`. The last reports what no rule before it names. */
export const rules: readonly Rule[] = [
  ...indexRules,
  ...constraintRules,
  ...columnRules,
  ...renameRules,
  ...dropRules,
  ...storageRules,
  ...schemaRules,
  ...transactionRules,
];

/** The name of the finding about a declaration `static lint` itself. */
export const silenceRule = 'silence';

/** Returns the path of a rule's page in the package. */
export function rulePage(rule: string): string {
  return `docs/lint/${rule}.md`;
}
