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
 * The type of a `timestamptz(6)` column. What is read is asked of the server in a form that no setting of the session changes, and
 * what is written is sent in one that is read the same under any. A text in ISO 8601 with a zone is taken for the instant that it
 * names.
 */
export class InstantType extends Type<Date | string | null, string | null> {
  override convertToJSValueSQL(key: string): string {
    // Asked with no key, the ORM would put the form into conditions and orders, too, where no index has it.
    return key === '' ? '' : instantHexSql(key);
  }

  /** @throws InvalidValueError on a text that is not clear without settings of the session. */
  override convertToJSValue(value: Date | string | null): Date | null {
    if (value === null || isDate(value)) return value;
    if (hexForm.test(value)) return dateOfHex(value);
    const read = readInstant(value);
    if (typeof read === 'string') throw refused(this, read);
    return dateOfMicroseconds(read);
  }

  /** Restores what a cursor of the ORM's holds. */
  override fromJSON(value: string): Date | null {
    return this.convertToJSValue(value);
  }

  /** @throws InvalidValueError on an invalid `Date`, and on what is neither a `Date` nor a time in ISO 8601. */
  override convertToDatabaseValue(value: Date | string | null): string | null {
    if (value === null) return null;
    if (isDate(value)) {
      if (Number.isNaN(value.getTime())) throw refused(this, 'is an invalid date');
      return textOfDate(value);
    }
    if (typeof value !== 'string') throw refused(this, 'is no Date');
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

  // Not "Date": the ORM would read PostgreSQL's text itself.
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
