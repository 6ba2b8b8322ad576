import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import type { BackfillColumn } from '../../../src/loading/references/backfill-config.ts';
import { rawJSON } from '../../../src/json/raw-json.ts';
import { plans, References } from './world.ts';

type Value = unknown;

/** Facts with the values of one property. */
function of(...values: Value[]): Record<string, Value>[] {
  return values.map((v) => ({ v }));
}

/** Facts with the values of one property, and those of another to order them by. */
function ordered(...pairs: [v: Value, o: Value][]): Record<string, Value>[] {
  return pairs.map(([v, o]) => ({ v, o }));
}

describe('the value of a backfilled column', () => {
  let db: References;
  beforeAll(async () => {
    db = await References.create();
  });
  beforeEach(() => db.empty());
  afterAll(() => db.drop());

  /** Returns the value that a column gets from facts about one plan. */
  async function aggregate(
    column: Record<string, unknown> & { target: string },
    facts: readonly Record<string, unknown>[],
    skipBlankValues = false,
  ): Promise<unknown> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tables below hold columns of any kind
    const columns = [{ optional: true, ...column }] as unknown as BackfillColumn[];
    const given = facts.map((fact) => ({ plan: 'P', ...fact }));
    await backfillReferences(db, { targets: [{ ...plans, columns, skipBlankValues }] }, given);
    const [plan] = await db.plans();
    return plan?.[columnNames[column.target] ?? column.target];
  }

  test.each([
    ['text', 'name', of(null, ' b ', 'a'), 'b'],
    ['nothing', 'name', of(null, null), null],
    ['a number as text', 'name', of(1.5), '1.5'],
    [
      'a number with many digits as text',
      'name',
      of(rawJSON('12345678901234567890.5')),
      '12345678901234567890.5',
    ],
    ['a boolean as text', 'name', of(false), 'false'],
    ['a time as text', 'name', of(new Date(0)), '1970-01-01T00:00:00.000Z'],
    ['a document as text', 'name', of({ a: [1] }), '{"a":[1]}'],
    ['empty text, which is a value', 'name', of('', 'a'), ''],
    ['text with a number', 'amount', of(' 1e3 '), 1000],
    ['an integer', 'portfolioCount', of('12'), 12],
    ['a document', 'details', of({ city: 'Recife', n: 1n }), { city: 'Recife', n: 1 }],
    ['text with a document', 'details', of('{"city": "Recife"}'), { city: 'Recife' }],
    [
      'a time with all its microseconds',
      'latest',
      of('2026-03-01 12:00:00.123456+02'),
      '2026-03-01 10:00:00.123456+00',
    ],
    ['a Date', 'latest', of(new Date(0)), '1970-01-01 00:00:00+00'],
    ['a Date of another realm', 'latest', of(runInNewContext('new Date(0)')), '1970-01-01 00:00:00+00'],
  ])('is the first value: %s', async (_, target, facts, expected) => {
    expect(await aggregate({ target, source: 'v' }, facts)).toEqual(expected);
  });

  test('is the first that is not blank with skipBlankValues', async () => {
    expect(
      await aggregate(
        { target: 'name', source: 'v' },
        of('', '(空白)', '（空白）', '(Blank)', ' ', 'x'),
        true,
      ),
    ).toBe('x');
  });

  test.each([
    ['the highest number', ordered(['a', 1], ['b', 10], ['c', 9]), 'b'],
    [
      'the highest of numbers and numeric text',
      ordered(['a', null], ['b', 2000], ['c', '5000'], ['d', '']),
      'c',
    ],
    ['the first of equal ones', ordered(['a', 1], ['b', 2], ['c', '2.0']), 'b'],
    ['null when the fact with the highest order has no value', ordered(['a', 1], [null, 2]), null],
    ['the first value when no fact has an order', ordered([null, null], ['b', null], ['c', null]), 'b'],
    ['null without values', ordered([null, null]), null],
    ['numbers beyond 2^53', ordered(['a', 9007199254740993n], ['b', 9007199254740992n]), 'a'],
    [
      'the latest time, of any zone',
      ordered(['a', '2026-01-01T12:00:00+05:00'], ['b', '2026-01-01T08:00:00Z'], ['c', new Date(0)]),
      'b',
    ],
    ['the latest date', ordered(['a', '2024-01-01'], ['b', '2024-12-31'], ['c', '2024-06-01']), 'b'],
    [
      'the latest of dates and times without a zone',
      ordered(['a', '2024-12-31'], ['b', '2024-12-31 00:00:00.000001'], ['c', '2024-12-30T23:59']),
      'b',
    ],
    ['negative numbers and fractions', ordered(['a', '-2'], ['b', '-.5'], ['c', -1]), 'b'],
  ])('is that by the highest order: %s', async (_, facts, expected) => {
    expect(
      await aggregate({ target: 'name', aggregation: 'max_by', source: 'v', order: 'o' }, facts, true),
    ).toBe(expected);
  });

  test.each<[order: Value, why: string]>([
    ...['01/06/2024', '0x7d0', 'N/A', '1,5', '2024-06', '2024-06-01Z', '2024-W01', '24-06-01'].map(
      (order): [Value, string] => [order, 'is neither a number nor'],
    ),
    ['2024-02-30', 'does not exist'],
    [Number.NaN, 'is not a finite number'],
    [Number.POSITIVE_INFINITY, 'is not a finite number'],
    [true, 'is neither a number nor'],
    [{ at: 1 }, 'is neither a number nor'],
    [new Date(Number.NaN), 'is an invalid date'],
    ['2024-06-01T00:00:00Z', "they can't be compared"],
  ])('is refused for the order %j among good ones', async (order, why) => {
    const good = ['2024-01-01', '2024-12-31T10:00', 5];
    for (const place of [0, 1, 3]) {
      const orders: Value[] = [...good.slice(0, place), order, ...good.slice(place)];
      const facts = ordered(...orders.map((o): [Value, Value] => ['a', o]));
      const writing = aggregate({ target: 'name', aggregation: 'max_by', source: 'v', order: 'o' }, facts);
      await expect(writing).rejects.toThrow(why);
    }
  });

  test.each([
    ['in the order of characters', {}, of('b', 'a', 'B', 'b', null), 'B+a+b'],
    ['in the order of the facts', { sort: false }, of('b', 'a', 'B', 'b', null), 'b+a+B'],
    ['with any separator', { separator: "', \\" }, of('b', 'a'), "a', \\b"],
    ['as null without values', {}, of(null), null],
    ['with equal numbers and text once', {}, of(1, '1', 1n), '1'],
  ])('is the distinct values %s', async (_, options, facts, expected) => {
    expect(
      await aggregate({ target: 'name', aggregation: 'concat_distinct', source: 'v', ...options }, facts),
    ).toBe(expected);
  });

  test.each([
    ['{a} of {b}', 'x of y'],
    ['{{{ a }}}', '{x}'],
    ['plain', 'plain'],
    ['{c}|{a}{a}', '|xx'],
  ])('is the template %j with the first values', async (template, expected) => {
    const facts = [
      { a: null, b: 'y' },
      { a: 'x', b: 'z' },
    ];

    expect(await aggregate({ target: 'name', aggregation: 'template', template }, facts)).toBe(expected);
  });

  test.each([
    ['distinct values', of('a', 'b', 'a', null, ' b'), false, 2],
    ['no values', of(null), false, 0],
    ['values that are not blank, with skipBlankValues', of('a', '', '(空白)'), true, 1],
  ])('is the number of %s', async (_, facts, skipBlank, expected) => {
    const column = { target: 'portfolioCount', aggregation: 'count_distinct', source: 'v' };

    expect(await aggregate(column, facts, skipBlank)).toBe(expected);
  });

  test.each([
    ['in the order of the facts', of('b', 'a', 'b', null, 'c'), ['b', 'a', 'c']],
    ['as an empty array without values', of(null), []],
  ])('is an array of the distinct values %s', async (_, facts, expected) => {
    expect(await aggregate({ target: 'tags', aggregation: 'collect_distinct', source: 'v' }, facts)).toEqual(
      expected,
    );
  });

  test('equals a client-side aggregation of arbitrary facts', { timeout: 60_000 }, async () => {
    const text = fc.option(fc.constantFrom('a', 'b', ' a', 'A', 'é', '', '😀', "'"), { nil: null });
    const fact = fc.record({
      plan: fc.constantFrom('P', ' P', 'Q', '', null),
      v: text,
      o: fc.option(fc.integer({ min: -2, max: 2 }), { nil: null }),
    });
    const runs = Number(process.env['BACKFILL_PROPERTY_RUNS'] ?? 40);

    await fc.assert(
      fc.asyncProperty(fc.array(fact, { maxLength: 30 }), fc.boolean(), async (facts, skipBlankValues) => {
        await db.empty();
        const { targets } = await backfillReferences(
          db,
          { targets: [{ ...plans, skipBlankValues, columns: everyAggregation }] },
          facts,
        );
        const expected = expectedPlans(facts, skipBlankValues);
        expect(targets[0]).toMatchObject({
          candidates: expected.length,
          inserted: expected.length,
          skipped: 0,
        });
        const rows = (await db.plans()).toSorted((a, b) => (String(a['Plan']) < String(b['Plan']) ? -1 : 1));
        expect(rows).toMatchObject(expected);
      }),
      { numRuns: runs },
    );
  });
});

const columnNames: Partial<Record<string, string>> = { portfolioCount: 'portfolio_count' };

const everyAggregation = [
  { target: 'name', source: 'v', optional: true },
  { target: 'source', aggregation: 'concat_distinct', source: 'v', optional: true },
  { target: 'portfolioCount', aggregation: 'count_distinct', source: 'v', optional: true },
  { target: 'tags', aggregation: 'collect_distinct', source: 'v', optional: true },
  { target: 'amount', aggregation: 'max_by', source: 'o', order: 'o', optional: true },
] as const;

interface GivenFact {
  readonly plan: string | null;
  readonly v: string | null;
  readonly o: number | null;
}

/** The rows that `everyAggregation` makes of facts, by key. */
function expectedPlans(facts: readonly GivenFact[], skipBlank: boolean): object[] {
  const tidy = (text: string | null): string | null => {
    const trimmed = text?.trim() ?? null;
    return skipBlank && trimmed === '' ? null : trimmed;
  };
  const keys = [...new Set(facts.map(({ plan }) => tidy(plan)))].filter((key) => key !== null).toSorted();
  return keys.map((key) => {
    const group = facts.filter(({ plan }) => tidy(plan) === key);
    const values = [...new Set(group.map(({ v }) => tidy(v)).filter((v) => v !== null))];
    const orders = group.map(({ o }) => o).filter((o) => o !== null);
    const bytes = values.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return {
      Plan: key,
      name: values[0] ?? null,
      source: values.length === 0 ? null : bytes.join('+'),
      portfolio_count: values.length,
      tags: values,
      amount: orders.length === 0 ? null : Math.max(...orders),
    };
  });
}
