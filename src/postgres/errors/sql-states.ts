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

type Refusal = new (...args: ConstructorParameters<typeof DuplicateError>) => RefusedError;

// By SQLSTATE, or by its class, the first two characters. https://www.postgresql.org/docs/current/errcodes-appendix.html
const refusals: Partial<Record<string, readonly [Refusal, string]>> = {
  // Without one, the statement never came about: the ORM or the driver could not write a value into it.
  '': [InvalidValueError, 'a value is not one that a statement can be made of'],
  '08P01': [InvalidValueError, 'a text holds a character that PostgreSQL does not store'],
  '22': [InvalidValueError, 'a value is not one that PostgreSQL can work with'],
  '22001': [InvalidValueError, 'a value is too long'],
  '22003': [InvalidValueError, 'a number is out of range'],
  '22007': [InvalidValueError, 'a time is malformed'],
  '22008': [InvalidValueError, 'a time is out of range'],
  '22012': [InvalidValueError, 'a number was divided by zero'],
  '22021': [InvalidValueError, 'a text holds a character that PostgreSQL does not store'],
  '22P02': [InvalidValueError, 'a value is malformed'],
  '22P05': [InvalidValueError, 'a document holds a character that PostgreSQL does not store'],
  '23': [ConstraintError, 'a rule of the table refuses the change'],
  '23001': [DanglingReferenceError, 'a row is still pointed at'],
  '23502': [InvalidValueError, 'a required value is missing'],
  '23503': [DanglingReferenceError, 'a row points at one that does not exist, or is still pointed at'],
  '23505': [DuplicateError, 'another row already holds this value'],
  '23514': [InvalidValueError, 'a value breaks a rule of its table'],
  '25006': [ForbiddenError, 'the connection is read-only'],
  '40': [ContentionError, 'the transaction was taken back; run it again'],
  '40001': [ContentionError, 'another transaction changed the same rows; run it again'],
  '40P01': [ContentionError, 'deadlock with another transaction; run it again'],
  '42501': [ForbiddenError, 'the role lacks the privilege'],
  '44': [ConstraintError, 'a rule of the view refuses the change'],
  '53': [UnavailableError, 'the server has run out of memory, disk or another resource'],
  '54': [StatementError, 'the statement is beyond what PostgreSQL can run'],
  // In what we send, only a value can be too large: for the index that it would go into.
  '54000': [InvalidValueError, 'a value is too large'],
  '55006': [ContentionError, 'somebody else is using it'],
  '55P03': [ContentionError, 'another transaction holds the lock'],
  '57014': [UnavailableError, 'the statement was canceled: it took too long, or somebody asked for it'],
  '58': [UnavailableError, 'the server met an error of its system'],
  P0001: [ConstraintError, 'a rule of the database refuses the change'],
  XX: [UnavailableError, 'the server met an error of its own'],
};

/** Which of our errors stands for what PostgreSQL refused, and what happened, in words that hold nothing of the row. */
export function refusalOf(sqlState: string): readonly [Refusal, string] {
  return refusals[sqlState] ?? refusals[sqlState.slice(0, 2)] ?? [StatementError, 'the statement is wrong'];
}
