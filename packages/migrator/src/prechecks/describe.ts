import type { Precheck, PrecheckKind } from './rows/precheck.ts';

const problems: Readonly<Record<PrecheckKind, string>> = {
  nulls: 'NULL',
  duplicates: 'with the key of another row',
  orphans: 'without the row that they reference',
  violations: 'against it',
  conversions: 'with a value that can not be converted',
  conflicts: 'in conflict with another row',
  bounds: 'on the wrong side of the bounds',
  'by hand': 'returned by its precheck',
};

/** Returns a line on a precheck: what rows it found, or why it is unknown. */
export function describePrecheck(precheck: Precheck): string {
  const { migration, statement, table, subject } = precheck;
  const place = statement === null ? migration : `${migration}, statement ${statement}`;
  const what = table === null ? subject.replaceAll(/\s+/g, ' ') : `${subject} on ${table}`;
  return `${place}: ${what}: ${resultOf(precheck)}`;
}

function resultOf({ kind, outcome, rows, of, isLowerBound, reason }: Precheck): string {
  if (outcome === 'unknown') return `unknown, because ${reason}`;
  if (isLowerBound) return `at least 1 row ${problems[kind]}${reason === null ? '' : ` (${reason})`}`;
  const found = rows === 0 ? 'no row' : rows === 1 ? '1 row' : `${number(rows)} rows`;
  return of === null ? `${found} ${problems[kind]}` : `${found} of ${number(of)} ${problems[kind]}`;
}

function number(count: number | null): string {
  return (count ?? 0).toLocaleString('en-US');
}

/** Returns the message that refuses a run: each finding, and the query that lists its rows. */
export function describeRefusal(refused: readonly Precheck[]): string {
  const findings = refused.flatMap((one) => [
    `  ${describePrecheck(one)}`,
    ...(one.query === null ? [] : [`    ${one.query.trim()};`]),
  ]);
  return `rows of the database would make a migration fail; nothing was applied. Correct them, in a migration before it or by hand, and retry:\n${findings.join('\n')}`;
}
