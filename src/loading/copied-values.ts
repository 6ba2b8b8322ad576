import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../database/binary-rows.ts';
import { unstorableText } from '../json/unstorable-text.ts';
import { jsonText } from './json-text.ts';
import { UnfitValue } from './unfit-value.ts';

/**
 * How a value of a row, which is not null, is sent to a column of each type. Each throws `UnfitValue` when the column can't hold the
 * value.
 */
export const copiedValues: Readonly<Record<BinaryType, (value: unknown) => CopiedValue>> = {
  text: (value) => {
    if (typeof value !== 'string') throw new UnfitValue('is no text');
    const unstorable = unstorableText(value);
    if (unstorable !== null) throw new UnfitValue(`holds ${unstorable}, which PostgreSQL does not store`);
    return value;
  },
  integer: (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number)) throw new UnfitValue('is no integer');
    if (number < -(2 ** 31) || number >= 2 ** 31)
      throw new UnfitValue('is out of the range of an integer column');
    return number;
  },
  'double precision': (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw new UnfitValue('is no finite number');
    if (typeof value === 'bigint' && BigInt(number) !== value)
      throw new UnfitValue('has more digits than a double precision column holds');
    return number;
  },
  timestamptz: (value) => {
    if (isDate(value)) {
      const time = value.getTime();
      if (Number.isNaN(time)) throw new UnfitValue('is an invalid date');
      return BigInt(time) * 1_000n;
    }
    if (typeof value !== 'string') throw new UnfitValue('is no time');
    return microseconds(value);
  },
  jsonb: jsonText,
};

const iso =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/i;

function microseconds(text: string): bigint {
  const parts = iso.exec(text);
  if (!parts)
    throw new UnfitValue('is no ISO time with up to six digits of a second, such as 2026-03-01T12:00:00Z');
  const [, year, month, day, hour, minute, second = '0', fraction = '', utc, sign, hours, minutes = '0'] =
    parts;
  if (utc === undefined && sign === undefined)
    throw new UnfitValue('has no zone; add Z or an offset such as +02:00');
  const [monthIndex, ...others] = [Number(month) - 1, day, hour, minute, second].map(Number);
  const local = new Date(0);
  local.setUTCFullYear(Number(year), monthIndex, Number(day));
  local.setUTCHours(Number(hour), Number(minute), Number(second));
  const exists =
    local.getUTCMonth() === monthIndex &&
    [local.getUTCDate(), local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].every(
      (part, index) => part === others[index],
    );
  if (!exists || Number(hours ?? 0) > 15 || Number(minutes) > 59)
    throw new UnfitValue('is a time that does not exist');
  const offset = (Number(hours ?? 0) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  return BigInt(local.getTime() - offset * 1_000) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}
