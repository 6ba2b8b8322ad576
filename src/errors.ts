// In the registry that all realms, and all copies of this package, share.
const brand = Symbol.for('synth-lab-data.DataError');

/**
 * A failure that the caller can act on. `code` is stable, for logs and for mapping to a transport. Where the package may be loaded
 * more than once, use `isDataError` and `code` instead of `instanceof`.
 */
export abstract class DataError extends Error {
  abstract readonly code: string;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * Settings can't be used. Nothing was opened. `problems` names each of them, what is wrong and what to write instead, never a secret;
 * the message lists them.
 */
export class SettingsError extends DataError {
  readonly code = 'invalid_settings';
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    const all = typeof problems === 'string' ? [problems] : problems;
    const [first = ''] = all;
    super(
      all.length === 1
        ? first
        : `${all.length} settings can't be used:\n${all.map((one) => `- ${one}`).join('\n')}`,
      options,
    );
    this.problems = all;
  }
}

/** No connection could be made: unreachable, refused, or rejected at login. Nothing was sent. `cause` is the driver's error. */
export class ConnectionError extends DataError {
  readonly code = 'connection_failed';
}

/** A statement would leave something on a connection that a pooler lends to others. The message says what, and what to do. Nothing was sent. */
export class PoolerError extends DataError {
  readonly code = 'not_through_pooler';

  constructor(why: string) {
    super(`refused behind a pooler: ${why}`);
  }
}

/** No connection of the pool was free in time. Nothing was sent. The message names the pool's size and how long was waited. */
export class PoolTimeoutError extends DataError {
  readonly code = 'pool_timeout';
}

/**
 * The connection in use was lost before the commit was sent: the server, or a pooler, ended it, it was cut, or it was silent for too
 * long. Nothing of the transaction was written. `cause` is the driver's error.
 */
export class ConnectionLostError extends DataError {
  readonly code = 'connection_lost';
}

/**
 * The commit was sent, and no answer says what became of it: all of the transaction was written, or nothing. The connection was lost, the
 * server ended it (FATAL), it was silent for too long, or the unit of work was interrupted (`signal`, `close`) and the answer did not come
 * within a second. `work` is never retried, with any `retries`: check whether its rows exist, or make it idempotent. `cause` is
 * what happened instead of an answer.
 */
export class CommitUnknownError extends DataError {
  readonly code = 'commit_unknown';

  constructor(options?: ErrorOptions) {
    super(
      'the commit was sent, and its outcome is unknown: it was carried out, or it was not; see the cause',
      options,
    );
  }
}

/** The database was closed before this unit of work began, or while it ran longer than `close` waits. It was not committed. */
export class DatabaseClosedError extends DataError {
  readonly code = 'database_closed';
}

/** The database lacks migrations that this code needs. `pending` names them, oldest first. */
export class SchemaOutOfDateError extends DataError {
  readonly code = 'schema_out_of_date';
  readonly pending: readonly string[];

  constructor(pending: readonly string[]) {
    const some = pending.length === 1 ? 'a migration is' : `${pending.length} migrations are`;
    super(
      `the database is behind this code: ${some} pending (${pending.join(', ')}); run \`synthdb migrate up\``,
    );
    this.pending = pending;
  }
}

/**
 * No row has this key, or none that this question may see (a deleted experiment is hidden). `key` is undefined where the ORM was asked by
 * something else.
 */
export class NotFoundError extends DataError {
  readonly code = 'not_found';
  readonly entity: string;
  readonly key: unknown;

  constructor(entity: string, key: unknown, options?: ErrorOptions) {
    super(
      key === undefined
        ? `the query did not find the ${entity} that it asked for`
        : `${entity} ${JSON.stringify(key)} does not exist`,
      options,
    );
    this.entity = entity;
    this.key = key;
  }
}

/** A row that the domain can't do without was to be removed. It stays; nothing was sent. */
export class ProtectedRowError extends DataError {
  readonly code = 'protected_row';
  readonly entity: string;
  readonly key: unknown;

  constructor(entity: string, key: unknown) {
    super(`${entity} ${JSON.stringify(key)} can't be removed`);
    this.entity = entity;
    this.key = key;
  }
}

/** A question that needs a number of rows to have an answer found fewer. */
export class TooFewRowsError extends DataError {
  readonly code = 'too_few_rows';
  readonly entity: string;
  readonly needed: number;
  readonly found: number;

  constructor(entity: string, { needed, found }: { needed: number; found: number }) {
    super(`${needed} of ${entity} are needed, there are ${found}`);
    this.entity = entity;
    this.needed = needed;
    this.found = found;
  }
}

/** A page was asked for in a way that can't be served. `allowed` names what can, where that is a closed set. Nothing was read. */
export class InvalidPageError extends DataError {
  readonly code = 'invalid_page';
  readonly allowed: readonly string[] | undefined;

  constructor(what: string, allowed?: readonly string[], options?: ErrorOptions) {
    super(allowed ? `${what}; allowed: ${allowed.join(', ')}` : what, options);
    this.allowed = allowed;
  }
}

/** Something was to be written or locked outside `transact`, which alone does so. Nothing was sent. */
export class ReadOnlyError extends DataError {
  readonly code = 'read_only';
}

/**
 * A JSON document does not have its column's shape, or holds what can't be stored as it is: NaN, infinities, invalid dates, bigints,
 * maps, halves of surrogate pairs, more than 1,000 levels. Nothing was sent to PostgreSQL.
 * `issues` has the paths and reasons, without the document's values.
 */
export class InvalidJsonError extends DataError {
  readonly code = 'invalid_json';
  readonly column: string;
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

  constructor(column: string, issues: InvalidJsonError['issues']) {
    const list = issues.map(
      (issue) => `${issue.path.map(String).join('.') || '(document)'}: ${issue.message}`,
    );
    super(`${column} is out of shape: ${list.join('; ')}`);
    this.column = column;
    this.issues = issues;
  }
}

/** A load can't be done as it was asked for. Nothing was sent. */
export class InvalidLoadError extends DataError {
  readonly code = 'invalid_load';
}

/** The configuration of a backfill can't be used as it is. `issues` has all problems and their paths. Nothing was written. */
export class InvalidBackfillError extends DataError {
  readonly code = 'invalid_backfill';
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor(issues: InvalidBackfillError['issues']) {
    super(issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.issues = issues;
  }
}

/**
 * PostgreSQL, or the ORM on its behalf, refused a statement. `constraint` names the broken rule, `table` its table, `column` the one
 * that lacks a value, and `row` the number of the row, the first being 1, of those that were copied, where they are known. The message
 * never holds the row; the driver's text, which may, is in `cause` alone.
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

/** Another row already holds this value (23505). */
export class DuplicateError extends RefusedError {
  readonly code = 'duplicate';
}

/** The write points at no row, or removes a row that others still point at (23503, 23001). */
export class DanglingReferenceError extends RefusedError {
  readonly code = 'dangling_reference';
}

/**
 * A value is missing, too long, malformed, or outside what its column allows (22xxx, 08P01, 23502, 23514, 54000, the ORM's
 * own validation). Where a repository's method was called with it, `argument` names it (`changes.name`), and nothing was sent. A
 * text with half of a surrogate pair is refused before it is sent, as a key that is looked up, too.
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

/**
 * A row that was to be loaded can't be. `row` is its number, the first being 1; `property` is null when it is not about one. The
 * message says what is wrong, without the row's values.
 */
export class InvalidRowError extends InvalidValueError {
  override readonly code = 'invalid_row';
  override readonly row: number;
  readonly property: string | null;

  constructor(
    { row, property }: { row: number; property: string | null },
    what: string,
    options?: ErrorOptions,
  ) {
    super(`row ${row}${property === null ? '' : `, ${property}`}: ${what}`, {}, options);
    this.row = row;
    this.property = property;
  }
}

/** Another rule of the database refused the write: ranges that may not overlap, a trigger's own (23xxx, 44000, P0001). */
export class ConstraintError extends RefusedError {
  readonly code = 'constraint';
}

/** Another writer got there first (40xxx, 55006, 55P03, an optimistic lock, work that another took over). Read again and retry. */
export class ContentionError extends RefusedError {
  readonly code = 'contention';
}

/** The role may not do this (42501), or the connection is read-only (25006). */
export class ForbiddenError extends RefusedError {
  readonly code = 'forbidden';
}

/** The server can't do this now: out of resources, canceled or timed out, an internal error (53xxx, 57014, 58xxx, XXxxx). */
export class UnavailableError extends RefusedError {
  readonly code = 'unavailable';
}

/** The statement itself is wrong: a name that does not exist, a transaction that has failed before (42xxx, 25xxx and what is left). */
export class StatementError extends RefusedError {
  readonly code = 'wrong_statement';
}

/** The legacy database to import from can't be read, or is none. What was written of it before stays: run the import again to go on. */
export class LegacySourceError extends DataError {
  readonly code = 'legacy_source';
}

/** An import can't begin, since the source has what would be lost or the target what is not the source's. Nothing was written. */
export class ImportRefusedError extends DataError {
  readonly code = 'import_refused';
}

/**
 * A handle of a unit of work was used after `work` had settled: a repository, `em`, a Kysely handle, a stream, a fork or an inner unit.
 * Nothing was sent. Await what belongs to the unit of work before `work` returns.
 */
export class UnitOfWorkEndedError extends DataError {
  readonly code = 'unit_ended';

  constructor(what: string) {
    super(`${what}: the unit of work has ended; await what belongs to it before \`work\` returns`);
  }
}

/** A unit of work was used while it can't be: while an inner one runs, or a stream is open. Nothing was sent. Await the other first. */
export class ConcurrentUseError extends DataError {
  readonly code = 'concurrent_use';
}

/** `work` returned while something of its unit of work still ran, which `calls` names. Nothing was committed. Await each of them. */
export class UnfinishedWorkError extends DataError {
  readonly code = 'unfinished_work';
  readonly calls: readonly string[];

  constructor(calls: readonly string[]) {
    super(`not committed: \`work\` returned while these still ran: ${calls.join(', ')}; await each of them`);
    this.calls = calls;
  }
}
