import type { Difference } from '../catalog/differences.ts';

/** The facts that maintenance changes: `cluster table using index` marks the index. */
const maintained: ReadonlySet<string> = new Set(['clustered']);

/**
 * The facts that PostgreSQL prints from a parsed expression. It prints some differently after they were restored from a dump, such as a list
 * of `varchar` values, and in another major version.
 */
const printed: ReadonlySet<string> = new Set([
  'definition',
  'index',
  'default',
  'generated',
  'partitioned by',
  'partition bound',
  'using',
  'check',
]);

/**
 * Whether a difference shows that the schema was changed. `isSamePrinter` is whether the same major version of PostgreSQL printed both sides
 * in the same database; a dump may be restored without privileges, and major versions have different ones.
 */
export function isComparable({ fact }: Difference, isSamePrinter: boolean): boolean {
  if (fact === null) return true;
  if (maintained.has(fact)) return false;
  return isSamePrinter || (!printed.has(fact) && !fact.startsWith('privilege '));
}
