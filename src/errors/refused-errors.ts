import { DataError } from './data-error.ts';

/**
 * The base class of errors of PostgreSQL, or of the ORM, about a statement. If known, `constraint` is the violated constraint, `table` its
 * table, `column` the column that lacks a value, and `row` the number of the copied row, counted from 1. The message has no row data; the
 * driver's text, which may have some, is only in `cause`.
 */
export abstract class RefusedError extends DataError {
  readonly table: string | undefined;
  readonly constraint: string | undefined;
  readonly column: string | undefined;
  readonly row: number | undefined;

  constructor(
    what: string,
    at: {
      table?: string | undefined;
      constraint?: string | undefined;
      column?: string | undefined;
      row?: number | undefined;
    },
    options?: ErrorOptions,
  ) {
    const where = [
      at.constraint && `"${at.constraint}"`,
      at.column && `column "${at.column}"`,
      at.table && `on table "${at.table}"`,
      at.row && `in row ${at.row}`,
    ]
      .filter(Boolean)
      .join(' ');
    super(where ? `${what}: ${where}` : what, options);
    this.table = at.table;
    this.constraint = at.constraint;
    this.column = at.column;
    this.row = at.row;
  }
}

/** The value violates a unique constraint: another row has it (23505). */
export class DuplicateError extends RefusedError {
  readonly code = 'duplicate';
}

/** The write violates a foreign key: it references a missing row, or removes a referenced one (23503, 23001). */
export class DanglingReferenceError extends RefusedError {
  readonly code = 'dangling_reference';
}

/**
 * A value is missing, too long, malformed, or out of the range of its column (22xxx, 08P01, 23502, 23514, 54000, the ORM's own validation).
 * For an argument of a repository's method, `argument` is its path (`changes.name`), and nothing was sent. Texts with unpaired surrogates
 * are refused before they are sent, also as keys.
 */
export class InvalidValueError extends RefusedError {
  readonly code: 'invalid_value' | 'invalid_row' = 'invalid_value';
  readonly argument: string | undefined;

  constructor(
    what: string,
    at: ConstructorParameters<typeof RefusedError>[1] & { argument?: string | undefined },
    options?: ErrorOptions,
  ) {
    super(what, at, options);
    this.argument = at.argument;
  }
}

/** Another constraint refused the write: an exclusion constraint, a trigger (23xxx, 44000, P0001). */
export class ConstraintError extends RefusedError {
  readonly code = 'constraint';
}

/** Another transaction changed or locked the same rows (40xxx, 55006, 55P03), or an optimistic lock failed. Read again and retry. */
export class ContentionError extends RefusedError {
  readonly code = 'contention';
}

/** The role lacks the privilege (42501), or the connection is read-only (25006). */
export class ForbiddenError extends RefusedError {
  readonly code = 'forbidden';
}

/** The server can't run the statement now: out of resources, canceled, timed out, or an internal error (53xxx, 57014, 58xxx, XXxxx). */
export class UnavailableError extends RefusedError {
  readonly code = 'unavailable';
}

/** The statement is invalid: an unknown name, a transaction that has failed (42xxx, 25xxx and all other codes). */
export class StatementError extends RefusedError {
  readonly code = 'wrong_statement';
}
