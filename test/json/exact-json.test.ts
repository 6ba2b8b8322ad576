import { array, assert, bigInt, json, nat, oneof, property, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson, hasLongDigits } from '../../src/json/exact-json.ts';

describe('parseExactJson', () => {
  test.each([
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890.123456789012345678',
    '0.1000000000000000055511151231257827021',
    '1e400',
    '1E-400',
  ])('keeps the digits of %s', (number) => {
    expect(JSON.stringify(parseExactJson(`{"a":[${number}]}`))).toBe(`{"a":[${number}]}`);
  });

  test.each([
    '0.048799999999999996',
    '1e3',
    '1.50',
    '100000000000000000000',
    '0.00000000000000000',
    '-0.0',
    '1e21',
  ])('parses %s as a number, which loses no digit', (number) => {
    expect(parseExactJson(number)).toBe(Number(number));
  });

  test('returns the same as JSON.parse when its numbers are short', () => {
    assert(
      property(json(), (text) => {
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('keeps every number that a program without rounding writes', () => {
    assert(
      property(bigInt(), nat({ max: 30 }), (digits, behind) => {
        const text = `${digits}e-${behind}`;
        const read = JSON.stringify(parseExactJson(text));
        expect(exactly(read)).toBe(exactly(text));
      }),
    );
  });
});

/** Returns the number times 10^400, an integer. */
function exactly(number: string): bigint {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const value = BigInt(whole + fraction) * 10n ** BigInt(400 - fraction.length + Number(power));
  return sign === '-' ? -value : value;
}

test('hasLongDigits finds eight digits in a row at any place, and nothing else', () => {
  const text = array(oneof(stringMatching(/^\d{1,12}$/), stringMatching(/^[^\d]{0,9}$/)), {
    maxLength: 20,
  });
  assert(
    property(text, (parts) => {
      const joined = parts.join('');
      expect(hasLongDigits(joined)).toBe(/\d{8}/.test(joined));
    }),
    { numRuns: 2_000 },
  );
});
