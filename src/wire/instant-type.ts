import { isDate } from 'node:util/types';
import { Type, type EntityProperty, type Platform } from '@mikro-orm/core';
import { InvalidValueError } from '../errors.ts';
import {
  dateOfHex,
  dateOfMicroseconds,
  instantHexSql,
  readInstant,
  textOfDate,
  textOfMicroseconds,
} from './instant.ts';

const hexForm = /^[\da-f]{16}$/;

/**
 * The type of a `timestamptz(6)` column. Values are read and written in forms that do not depend on settings of the session. A text in
 * ISO 8601 with a zone is accepted in place of a `Date`.
 */
export class InstantType extends Type<Date | string | null, string | null> {
  override convertToJSValueSQL(key: string): string {
    // An expression for an empty key would make the ORM use it in conditions and orders too, where it would prevent the use of indexes.
    return key === '' ? '' : instantHexSql(key);
  }

  /** @throws InvalidValueError on a text whose meaning depends on settings of the session. */
  override convertToJSValue(value: Date | string | null): Date | null {
    if (value === null || isDate(value)) return value;
    if (hexForm.test(value)) return dateOfHex(value);
    const read = readInstant(value);
    if (typeof read === 'string') throw refused(this, read);
    return dateOfMicroseconds(read);
  }

  /** Converts a value of one of the ORM's cursors. */
  override fromJSON(value: string): Date | null {
    return this.convertToJSValue(value);
  }

  /** @throws InvalidValueError on an invalid `Date`, and on a value that is neither a `Date` nor a time in ISO 8601. */
  override convertToDatabaseValue(value: Date | string | null): string | null {
    if (value === null) return null;
    if (isDate(value)) {
      if (Number.isNaN(value.getTime())) throw refused(this, 'is an invalid date');
      return textOfDate(value);
    }
    if (typeof value !== 'string') throw refused(this, 'is not a Date');
    const read = readInstant(value);
    if (typeof read === 'string') throw refused(this, read);
    return textOfMicroseconds(read);
  }

  override getColumnType(property: EntityProperty, platform: Platform): string {
    return platform.getDateTimeTypeDeclarationSQL({ length: property.length ?? 6 });
  }

  override compareAsType(): string {
    return 'string';
  }

  // Not "Date": the ORM would parse PostgreSQL's text itself.
  override get runtimeType(): string {
    return 'instant';
  }

  override ensureComparable(): boolean {
    return true;
  }
}

// The ORM copies a type for each property, which would lose a private method.
function refused({ meta, prop }: InstantType, what: string): InvalidValueError {
  return new InvalidValueError(`a value ${what}`, { table: meta?.tableName, column: prop?.fieldNames[0] });
}
