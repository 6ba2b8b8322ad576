import { DataError } from './data-error.ts';

/**
 * No row has this key, or the row is hidden from this query, as deleted experiments are. `key` is undefined when the query was not by
 * key.
 */
export class NotFoundError extends DataError {
  readonly code = 'not_found';
  readonly entity: string;
  readonly key: unknown;

  constructor(entity: string, key: unknown, options?: ErrorOptions) {
    super(
      key === undefined
        ? `no ${entity} matches the query`
        : `${entity} ${JSON.stringify(key)} does not exist`,
      options,
    );
    this.entity = entity;
    this.key = key;
  }
}

/** The row must not be removed, since the domain depends on it. Nothing was sent. */
export class ProtectedRowError extends DataError {
  readonly code = 'protected_row';
  readonly entity: string;
  readonly key: unknown;

  constructor(entity: string, key: unknown) {
    super(`${entity} ${JSON.stringify(key)} can't be removed: it is protected`);
    this.entity = entity;
    this.key = key;
  }
}

/** Fewer rows were found than the query needs. */
export class TooFewRowsError extends DataError {
  readonly code = 'too_few_rows';
  readonly entity: string;
  readonly needed: number;
  readonly found: number;

  constructor(entity: string, { needed, found }: { needed: number; found: number }) {
    super(`${needed} rows of ${entity} are needed, and ${found} were found`);
    this.entity = entity;
    this.needed = needed;
    this.found = found;
  }
}

/** The request for a page is invalid. `allowed` lists the valid values, where that is a closed set. Nothing was read. */
export class InvalidPageError extends DataError {
  readonly code = 'invalid_page';
  readonly allowed: readonly string[] | undefined;

  constructor(what: string, allowed?: readonly string[], options?: ErrorOptions) {
    super(allowed ? `${what}; allowed: ${allowed.join(', ')}` : what, options);
    this.allowed = allowed;
  }
}

/** A call would write or lock outside `transact`. Nothing was sent. */
export class ReadOnlyError extends DataError {
  readonly code = 'read_only';
}

/**
 * A JSON document does not match its column's shape, or has a value that JSON can't represent: NaN, infinities, invalid dates, bigints,
 * maps, unpaired surrogates, more than 1,000 levels. Nothing was sent. `issues` has the paths and messages, without the document's values.
 */
export class InvalidJsonError extends DataError {
  readonly code = 'invalid_json';
  readonly column: string;
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];

  constructor(column: string, issues: InvalidJsonError['issues']) {
    const list = issues.map(
      (issue) => `${issue.path.map(String).join('.') || '(document)'}: ${issue.message}`,
    );
    super(`${column} is invalid: ${list.join('; ')}`);
    this.column = column;
    this.issues = issues;
  }
}
