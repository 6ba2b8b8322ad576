import { expect, test } from 'vitest';
import { uuidv7 } from '../../src/entities/uuid-v7.ts';

const made = Array.from({ length: 20_000 }, uuidv7);

test('is a UUID of version 7 of this moment', () => {
  const last = made.at(-1) ?? '';

  expect(last).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const time = Number.parseInt(last.replaceAll('-', '').slice(0, 12), 16);
  expect(Math.abs(Date.now() - time)).toBeLessThan(60_000);
});

test('is larger than every one before it, though many fall into one millisecond', () => {
  expect(made).toEqual(made.toSorted());
  expect(new Set(made).size).toBe(made.length);
});

test('ends at random', () => {
  expect(new Set(made.map((uuid) => uuid.slice(-10))).size).toBeGreaterThan(made.length - 10);
});
