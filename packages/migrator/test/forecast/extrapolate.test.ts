import { expect, test } from 'vitest';
import { extrapolate } from '../../src/forecast/extrapolate.ts';
import type { Sample } from '../../src/forecast/sampler.ts';

const lock = {
  table: 't',
  lock: 'ShareLock',
  blocks: 'writes',
  readerStallMs: null,
  writerStallMs: null,
} as const;

function sample(share: number, durations: readonly number[], messages: readonly string[] = []): Sample {
  const statements = durations.map((durationMs, index) => {
    const locks = index === 0 ? [{ ...lock, heldMs: durationMs }] : [];
    return { direction: 'up' as const, statement: index + 1, sql: `s${index + 1}`, durationMs, locks };
  });
  return {
    share,
    statements,
    messages: new Map(durations.map((_, index) => [index + 1, messages])),
    isInMemory: true,
  };
}

const rows = 1_000_000;
const durations = (few: Sample, many: readonly Sample[]): number[] =>
  extrapolate({ few, many, rows, transactional: true }).map((one) => one.durationMs);

test('what does not grow with rows stays, and the rest grows with them', () => {
  expect(durations(sample(0, [2, 5]), [sample(0.1, [12, 5])])).toEqual([102, 5]);
});

test('an index build grows with the number of rows and its logarithm', () => {
  const [time = 0] = durations(sample(0, [0]), [sample(0.1, [100], ['building index "i" on table "t"'])]);

  expect(time).toBeCloseTo((1_000 * Math.log2(1_000_000)) / Math.log2(100_000), 0);
});

test('the shortest of several samples of one size counts, and one of all rows as it is', () => {
  expect(durations(sample(0, [0]), [sample(0.5, [10]), sample(0.5, [20])])).toEqual([20]);
  expect(durations(sample(0, [0]), [sample(0.5, [10]), sample(0.5, [90]), sample(0.5, [11])])).toEqual([20]);
  expect(durations(sample(0.5, [9]), [sample(1, [10])])).toEqual([10]);
});

test('of samples in memory and of others, the middle counts', () => {
  const other = { ...sample(1, [30]), isInMemory: false };
  expect(
    durations(sample(0, [0]), [other, sample(1, [10]), { ...other, ...sample(1, [90]), isInMemory: false }]),
  ).toEqual([20]);
});

test('a sample that is faster by chance gives no negative growth', () => {
  expect(durations(sample(0, [5]), [sample(0.1, [4])])).toEqual([4]);
});

test.each([
  [true, 40],
  [false, 10],
])(
  'a lock is held to the end of the transaction, or of a statement outside one: %s',
  (transactional, held) => {
    const found = extrapolate({ few: sample(1, [10, 30]), many: [], rows, transactional });

    expect(found.map(({ locks }) => locks[0]?.heldMs)).toEqual([held, undefined]);
  },
);
