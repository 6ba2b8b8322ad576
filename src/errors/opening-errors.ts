import { DataError } from './data-error.ts';

/** Settings are invalid. Nothing was opened. `problems` has one sentence for each, with the remedy and without secrets; the message lists them. */
export class SettingsError extends DataError {
  readonly code = 'invalid_settings';
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    const all = typeof problems === 'string' ? [problems] : problems;
    const [first = ''] = all;
    super(
      all.length === 1
        ? first
        : `${all.length} settings are invalid:\n${all.map((one) => `- ${one}`).join('\n')}`,
      options,
    );
    this.problems = all;
  }
}

/** The database lacks migrations that this code needs. `pending` has their names, oldest first. */
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

/** The schema differs from what the last run of migrations left. `differences` has a line for each of the first ten, and their number. */
export class SchemaDriftError extends DataError {
  readonly code = 'schema_drift';
  readonly differences: readonly string[];

  constructor(differences: readonly string[]) {
    super(
      `the schema differs from what the last migrations left (${differences.join('; ')}); undo the changes, or write a migration for them`,
    );
    this.differences = differences;
  }
}
