import {
  ConstraintError,
  ContentionError,
  DanglingReferenceError,
  DuplicateError,
  ForbiddenError,
  InvalidValueError,
  StatementError,
  UnavailableError,
  type RefusedError,
} from '../../errors.ts';

type ErrorClass = new (...args: ConstructorParameters<typeof DuplicateError>) => RefusedError;

// By SQLSTATE, or by its class, the first two characters. https://www.postgresql.org/docs/current/errcodes-appendix.html
const errorClasses: Partial<Record<string, readonly [ErrorClass, string]>> = {
  // Without a SQLSTATE, the statement was not sent: the ORM or the driver could not write a value into it.
  '': [InvalidValueError, 'a value can not be written into a statement'],
  '08P01': [InvalidValueError, 'a text has a character that PostgreSQL can not store'],
  '22': [InvalidValueError, 'a value is invalid'],
  '22001': [InvalidValueError, 'a value is too long'],
  '22003': [InvalidValueError, 'a number is out of range'],
  '22007': [InvalidValueError, 'a time is malformed'],
  '22008': [InvalidValueError, 'a time is out of range'],
  '22012': [InvalidValueError, 'a number was divided by zero'],
  '22021': [InvalidValueError, 'a text has a character that PostgreSQL can not store'],
  '22P02': [InvalidValueError, 'a value is malformed'],
  '22P05': [InvalidValueError, 'a document has a character that PostgreSQL can not store'],
  '23': [ConstraintError, 'a constraint of the table refuses the change'],
  '23001': [DanglingReferenceError, 'a row is still referenced'],
  '23502': [InvalidValueError, 'a required value is missing'],
  '23503': [DanglingReferenceError, 'a row references a missing row, or is still referenced'],
  '23505': [DuplicateError, 'another row already has this value'],
  '23514': [InvalidValueError, 'a value violates a check of its table'],
  '25006': [ForbiddenError, 'the connection is read-only'],
  '40': [ContentionError, 'the transaction was rolled back; retry it'],
  '40001': [ContentionError, 'another transaction changed the same rows; retry the transaction'],
  '40P01': [ContentionError, 'deadlock with another transaction; retry the transaction'],
  '42501': [ForbiddenError, 'the role lacks the privilege'],
  '44': [ConstraintError, 'a check option of the view refuses the change'],
  '53': [UnavailableError, 'the server has run out of memory, disk or another resource'],
  '54': [StatementError, 'the statement exceeds a limit of PostgreSQL'],
  // In our statements, only a value can be too large, for its index.
  '54000': [InvalidValueError, 'a value is too large'],
  '55006': [ContentionError, 'another session is using the object'],
  '55P03': [ContentionError, 'another transaction holds the lock'],
  '57014': [UnavailableError, 'the statement was canceled, by a timeout or on request'],
  '58': [UnavailableError, 'the operating system of the server reported an error'],
  P0001: [ConstraintError, 'a trigger of the database refuses the change'],
  XX: [UnavailableError, 'the server has an internal error'],
};

/** Returns the class and the message, without row data, of the error for a SQLSTATE. */
export function errorClassFor(sqlState: string): readonly [ErrorClass, string] {
  return (
    errorClasses[sqlState] ??
    errorClasses[sqlState.slice(0, 2)] ?? [StatementError, 'the statement is invalid']
  );
}
