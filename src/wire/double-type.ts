import { DoubleType } from '@mikro-orm/core';
import { doubleHexSql, numberOfHex } from './double.ts';

/** The type of a `double precision` column. Numbers are read exactly, with any `extra_float_digits`. */
export class ExactDoubleType extends DoubleType {
  override convertToJSValueSQL(key: string): string {
    // See `InstantType`.
    return key === '' ? '' : doubleHexSql(key);
  }

  override convertToJSValue(value: unknown): number {
    return typeof value === 'string' ? numberOfHex(value) : Number(value);
  }

  override compareAsType(): string {
    return 'number';
  }
}
