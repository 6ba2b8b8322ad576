import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../postgres/copy/binary-rows.ts';
import { unstorableText } from '../json/unstorable-text.ts';
import { microsecondsOf, readInstant } from '../wire/instant.ts';
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
      if (Number.isNaN(value.getTime())) throw new UnfitValue('is an invalid date');
      return microsecondsOf(value);
    }
    if (typeof value !== 'string') throw new UnfitValue('is no time');
    const read = readInstant(value);
    if (typeof read === 'string') throw new UnfitValue(read);
    return read;
  },
  jsonb: jsonText,
};
