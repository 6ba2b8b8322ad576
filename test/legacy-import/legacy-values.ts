import * as fc from 'fast-check';

export const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));

// Mostly as it should be; what is rare in real files is common here.
export const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ arbitrary: usual, weight: 100 }, { arbitrary: rare, weight: 1 });

export const words = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
export const label = mostly(
  words.map((text) => `x${text}`),
  fc.constantFrom('', ' \t', '\u3000', 'a\0b', '😀 \\N \\. \t\n'),
);
export const optional = fc.option(mostly(words, fc.constant('a\0b')), { nil: null });

const instant = fc.date({ min: new Date('1971-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
const micros = fc.integer({ min: 0, max: 999_999 }).map((count) => String(count).padStart(6, '0'));
const second = (at: Date): string => at.toISOString().slice(0, 19);

/** The four forms of the old system's times, and what is none. */
export const time = mostly(
  fc.oneof(
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}+00:00`),
    instant.map((at) => `${second(at)}+00:00`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}`),
    instant.map((at) => second(at).replace('T', ' ')),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at).replace('T', ' ')}.${fraction}`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}Z`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}-03:30`),
  ),
  fc.constantFrom('', 'yesterday', '2025-02-30T00:00:00Z', '2025-01-01T00:00:00.1234567Z', '2025-01-01'),
);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    '9007199254740993',
    '1.50',
    '-0.0',
    '1e-7',
    '1E+5',
    '123456789012345678901234567890.123',
    '100e-2',
  ),
);
const string = fc.oneof(
  words.map((text) => JSON.stringify(text)),
  fc.constantFrom(String.raw`"\u0041\/\ud83d\ude00"`, '"😀é"', String.raw`"\b\f\u001f"`),
);
const { document } = fc.letrec<{ document: string; value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    string,
    fc.constantFrom('true', 'false', 'null'),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .array(fc.tuple(string, tie('value')), { maxLength: 5 })
    .map((members) => `{${members.map(([key, value]) => `${key}: ${value}`).join(' ,')}}`),
  array: fc.array(tie('value'), { maxLength: 4 }).map((elements) => `[ ${elements.join(',\n')} ]`),
  document: tie('object'),
}));

/** What Python wrote into JSON columns, and PostgreSQL does not store. */
const unstorable = fc.constantFrom(
  'null',
  '{"a": [1, NaN]}',
  '{"a": -Infinity}',
  String.raw`{"a": "x\u0000"}`,
  String.raw`{"\u0000": 1}`,
  String.raw`{"a": "\ud800"}`,
  '{"a": 1',
  '',
  '[]',
  '{"a": 1e999999}',
);
export const json = mostly(document, unstorable);
export const list = mostly(
  document.map((element) => `[${element}]`),
  unstorable,
);
export const rate = mostly(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(1.5, -0, Infinity));
export const count = mostly(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.constantFrom(2n ** 31n, 2n ** 53n + 1n, -1, null),
);
