import { expect, test } from 'vitest';
import { z } from 'zod';
import { orNull, sightingsIn, sightingsOf, type AnyKind } from './kinds.ts';

const kind: AnyKind = {
  key: 'string',
  at: 'date | null',
  document: z.looseObject({ rate: z.number() }).nullable(),
  inner: orNull({ list: ['number'] }),
  map: new Map([['string', 'boolean']]),
  set: new Set(['bigint']),
};
const value = {
  key: 'a',
  at: new Date(),
  document: { rate: 1, more: true },
  inner: { list: [1, 2] },
  map: new Map([['a', true]]),
  set: new Set([1n]),
};

test('of two values that are alike but for null, all is seen that a kind allows for', () => {
  const seen = [
    ...sightingsIn(kind, value),
    ...sightingsIn(kind, { ...value, at: null, document: null, inner: null }),
  ];

  expect(new Set(seen)).toEqual(new Set(sightingsOf(kind)));
});

test.each([
  ['a text for a number', { ...value, inner: { list: ['1'] } }, '.inner.list[]: string'],
  ['a text for a time', { ...value, at: '2026-01-01' }, '.at: string'],
  ['a time that is none', { ...value, at: new Date('') }, '.at: not a number'],
  ['a number that is none', { ...value, inner: { list: [Number.NaN] } }, '.inner.list[]: not a number'],
  ['null for what is never null', { ...value, key: null }, '.key: null'],
  ['nothing for null', { ...value, at: undefined }, '.at: undefined'],
  ['a field too many', { ...value, extra: 1 }, '.extra: surplus'],
  ['a field too few', { key: 'a', at: null, document: null, inner: null, map: value.map }, '.set: absent'],
  ['a document out of shape', { ...value, document: { rate: '1' } }, '.document: out of shape'],
  ['a list for an object', { ...value, inner: [] }, '.inner: Array'],
  ['an object for a map', { ...value, map: {} }, '.map: Object'],
  ['a key of another kind', { ...value, map: new Map([[1, true]]) }, '.map[key]: number'],
  ['an object of a class', Object.assign(new URL('http://a'), value), ': URL'],
])('%s is none of it', (_, wrong, says) => {
  const unexpected = sightingsIn(kind, wrong).filter((seen) => !sightingsOf(kind).includes(seen));

  expect(unexpected).toEqual([says]);
});
