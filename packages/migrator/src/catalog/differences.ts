import type { Catalog, CatalogObject, CatalogFacts } from './catalog.ts';

/** A difference between a database and what its migrations create. */
export interface Difference {
  /** Kind and name, such as `table experiments`. */
  readonly object: string;
  /** The column, constraint, index or other part; null for the object itself. */
  readonly part: string | null;
  /** The fact that differs, such as `type`; null where only one side has the object or part. */
  readonly fact: string | null;
  /** What the migrations create; null for nothing. */
  readonly expected: string | null;
  /** In the database; null for nothing. */
  readonly found: string | null;
}

/** Returns the differences between two catalogs, in the order of the objects' names. */
export function differences(expected: Catalog, found: Catalog): Difference[] {
  return union(expected, found).flatMap((object) =>
    ofObjects(object, expected.get(object), found.get(object)),
  );
}

/** Returns a line that describes a difference; long texts are cut to where they differ. */
export function describeDifference(difference: Difference): string {
  return describe(difference, {
    absent: 'not in the database, made by the migrations',
    present: 'in the database, not made by the migrations',
    found: 'in the database',
    expected: 'by the migrations',
  });
}

/** Returns a line that describes a difference between migrations and entities. */
export function describeEntityDifference(difference: Difference): string {
  return describe(difference, {
    absent: 'needed by the entities, not made by the migrations',
    present: 'made by the migrations, not needed by the entities',
    found: 'by the migrations',
    expected: 'by the entities',
  });
}

/** Returns a line that describes a difference between migrations and the squash of them. */
export function describeSquashDifference(difference: Difference): string {
  return describe(difference, {
    absent: 'made by the migrations, not by the squash',
    present: 'made by the squash, not by the migrations',
    found: 'by the squash',
    expected: 'by the migrations',
  });
}

/** Returns a line that describes what the opposite of a direction did not restore. */
export function describeNotRestored(difference: Difference): string {
  return describe(difference, {
    absent: 'missing',
    present: 'left behind',
    found: 'now',
    expected: 'before',
  });
}

/** Returns a line that describes how the schema differs from what the last run left. */
export function describeDrift(difference: Difference): string {
  return describe(difference, { absent: 'missing', present: 'added', found: 'now', expected: 'before' });
}

function describe(
  { object, part, fact, expected, found }: Difference,
  sides: Readonly<Record<'absent' | 'present' | 'found' | 'expected', string>>,
): string {
  const what = part === null ? object : `${object}: ${part}`;
  if (fact === null) return `${what}: ${found === null ? sides.absent : sides.present}`;
  const [there, here] = excerpts(found ?? 'none', expected ?? 'none');
  return `${what}: ${fact} ${there} ${sides.found}, ${here} ${sides.expected}`;
}

const whole = { fact: null, expected: null, found: null };

function ofObjects(object: string, expected?: CatalogObject, found?: CatalogObject): Difference[] {
  const at = { object, part: null };
  if (!expected || !found) return [{ ...at, ...whole, ...onlySide(expected) }];
  return [
    ...ofFacts(at, expected.facts, found.facts),
    ...ofOrder(at, expected.columns, found.columns),
    ...union(expected.parts, found.parts).flatMap((part) => {
      const [one, other] = [expected.parts.get(part), found.parts.get(part)];
      if (!one || !other) return [{ object, part, ...whole, ...onlySide(one) }];
      return ofFacts({ object, part }, one, other);
    }),
  ];
}

function onlySide(expected: unknown): Partial<Difference> {
  return expected === undefined ? { found: 'there' } : { expected: 'there' };
}

type At = Pick<Difference, 'object' | 'part'>;

function ofFacts(at: At, expected: CatalogFacts, found: CatalogFacts): Difference[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
  return names.flatMap((fact) => {
    const [one, other] = [expected[fact] ?? null, found[fact] ?? null];
    return one === other || decidedByDefault(fact, one, other)
      ? []
      : [{ ...at, fact, expected: one, found: other }];
  });
}

// Default privileges belong to the database: privileges that result from them are not differences of its objects.
function decidedByDefault(fact: string, ...values: readonly (string | null)[]): boolean {
  return fact.startsWith('privilege ') && values.includes('by default');
}

// Only columns of both sides: an added or dropped one is a difference already.
function ofOrder(at: At, expected: readonly string[], found: readonly string[]): Difference[] {
  const [one, other] = [
    expected.filter((name) => found.includes(name)).join(', '),
    found.filter((name) => expected.includes(name)).join(', '),
  ];
  return one === other ? [] : [{ ...at, fact: 'order of columns', expected: one, found: other }];
}

function union(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].toSorted();
}

const width = 60;

function excerpts(a: string, b: string): [string, string] {
  const [one, other] = [oneLine(a), oneLine(b)];
  if (one.length <= width && other.length <= width) return [one, other];
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const from = Math.max(0, same - width / 4);
  const cut = (text: string) =>
    `${from > 0 ? '…' : ''}${text.slice(from, from + width)}${text.length > from + width ? '…' : ''}`;
  return [cut(one), cut(other)];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
