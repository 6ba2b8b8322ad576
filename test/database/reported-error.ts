import { DataError } from '../../src/index.ts';

/** A text in every row, parameter and statement of a test, which no message may have. */
export const canary = 'canary_4711';

export type Kind = abstract new (...args: never[]) => DataError;

/** The fields and the message of an error of the package. */
export interface ReportedError {
  readonly kind: unknown;
  readonly sqlState: unknown;
  readonly table: unknown;
  readonly constraint: unknown;
  /** Names that the message lacks. */
  readonly missing: readonly string[];
  /** Row data and lines of the driver's text in the message. */
  readonly leaked: readonly string[];
}

/** Returns the expected report of an error of PostgreSQL. */
export function expectedError(
  kind: Kind,
  sqlState: string,
  { table, constraint }: { table?: string | undefined; constraint?: string | undefined } = {},
): ReportedError {
  return { kind, sqlState, table, constraint, missing: [], leaked: [] };
}

/** Returns the actual report of an error. */
export function reportedError(error: unknown): ReportedError {
  if (!(error instanceof DataError)) throw new Error('not an error of ours', { cause: error });
  const { message, cause } = error;
  const { table, constraint }: DataError & { table?: unknown; constraint?: unknown } = error;
  if (!(cause instanceof Error)) throw new Error('no cause was kept', { cause: error });
  const sqlState = 'code' in cause ? cause.code : undefined;
  return {
    kind: error.constructor,
    sqlState,
    table,
    constraint,
    missing: [sqlState, table, constraint].flatMap((named) =>
      typeof named === 'string' && !message.includes(named) ? [named] : [],
    ),
    leaked: [canary, ...cause.message.split('\n')].filter((text) => message.includes(text)),
  };
}

/** Returns the error that `work` rejects with. */
export async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
