import { DataError } from '../../src/index.ts';

/** In every row, parameter and statement of a test that must not be told. */
export const canary = 'canary_4711';

export type Kind = abstract new (...args: never[]) => DataError;

/** What an error of ours tells, in its fields and in its message. */
export interface Told {
  readonly kind: unknown;
  readonly sqlState: unknown;
  readonly table: unknown;
  readonly constraint: unknown;
  /** What the message should name and does not. */
  readonly missing: readonly string[];
  /** What the message holds of the row, or of the driver's own text. */
  readonly leaked: readonly string[];
}

/** How an error of PostgreSQL's should be told. */
export function telling(
  kind: Kind,
  sqlState: string,
  { table, constraint }: { table?: string | undefined; constraint?: string | undefined } = {},
): Told {
  return { kind, sqlState, table, constraint, missing: [], leaked: [] };
}

/** How it is. */
export function toldBy(error: unknown): Told {
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

/** What `work` fails with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
