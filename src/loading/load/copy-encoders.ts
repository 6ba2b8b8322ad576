import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { unstorableText } from '../../json/unstorable-text.ts';
import { microsecondsOf, readInstant } from '../../wire/instant.ts';
import { encodeJson } from './encode-json.ts';
import { ConversionError } from './conversion-error.ts';

/** Encodes a value that is not null for COPY into a column of each type. Each throws `ConversionError` when the column can't hold it. */
export const copyEncoders: Readonly<Record<BinaryType, (value: unknown) => CopiedValue>> = {
  text: (value) => {
    if (typeof value !== 'string') throw new ConversionError('is not a string');
    const unstorable = unstorableText(value);
    if (unstorable !== null) throw new ConversionError(`holds ${unstorable}, which PostgreSQL can't store`);
    return value;
  },
  integer: (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number))
      throw new ConversionError('is not an integer');
    if (number < -(2 ** 31) || number >= 2 ** 31)
      throw new ConversionError('is outside the range of an integer column (-2147483648 to 2147483647)');
    return number;
  },
  'double precision': (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number))
      throw new ConversionError('is not a finite number');
    if (typeof value === 'bigint' && BigInt(number) !== value)
      throw new ConversionError('has more digits than a double precision column can hold');
    return number;
  },
  timestamptz: (value) => {
    if (isDate(value)) {
      if (Number.isNaN(value.getTime())) throw new ConversionError('is an invalid date');
      return microsecondsOf(value);
    }
    if (typeof value !== 'string')
      throw new ConversionError('is not a time; expected a Date or ISO 8601 text with a time zone');
    const read = readInstant(value);
    if (typeof read === 'string') throw new ConversionError(read);
    return read;
  },
  jsonb: encodeJson,
};
