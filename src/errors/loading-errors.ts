import { DataError } from './data-error.ts';
import { InvalidValueError } from './refused-errors.ts';

/** The options of a load are invalid. Nothing was sent. */
export class InvalidLoadError extends DataError {
  readonly code = 'invalid_load';
}

/** A row to load is invalid. `row` is its number, counted from 1; `property` is null when no single one is to blame. The message has no row data. */
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

/** The configuration of a backfill is invalid. `issues` has all problems with their paths. Nothing was written. */
export class InvalidBackfillError extends DataError {
  readonly code = 'invalid_backfill';
  readonly issues: readonly { readonly path: string; readonly message: string }[];

  constructor(issues: InvalidBackfillError['issues']) {
    super(issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.issues = issues;
  }
}

/** The legacy database can't be read, or is not one. What was imported before stays: run the import again to resume it. */
export class LegacySourceError extends DataError {
  readonly code = 'legacy_source';
}

/** The import would lose data of the source, or the destination has rows that the source does not have. Nothing was written. */
export class ImportRefusedError extends DataError {
  readonly code = 'import_refused';
}
