/* oxlint-disable vitest/no-standalone-expect -- called by tests alone */
import { inspect } from 'node:util';
import { isNativeError } from 'node:util/types';
import { expect } from 'vitest';
import { DataError, InvalidValueError, type UnitOfWork } from '../../../../src/index.ts';
import type { TestDatabase } from '../../../../src/testing/index.ts';
import { canary, rejectionOf, type Kind } from '../../../database/reported-error.ts';

export type Work = (uow: UnitOfWork) => Promise<unknown>;

/** Returns all texts that an error shows when it is logged or serialized, except those of its cause. */
export function shown(error: unknown): string {
  if (!(error instanceof Error)) throw new Error('not an error', { cause: error });
  const { cause } = error;
  Reflect.deleteProperty(error, 'cause');
  const properties = JSON.stringify(error, Object.getOwnPropertyNames(error));
  const text = [
    error.message,
    error.stack,
    properties,
    inspect(error, { depth: 9, showHidden: true }),
  ].join();
  Object.defineProperty(error, 'cause', { value: cause, configurable: true });
  return text;
}

function isRefusedUnsent(failure: unknown): boolean {
  return failure instanceof InvalidValueError && /^(\w+Repository\.|a value is not )/.test(failure.message);
}

/** Checks that an error is of class `kind`, has a cause, and shows no row data. */
export function expectDataError(failure: unknown, kind: Kind): void {
  expect(failure).toBeInstanceOf(DataError);
  expect(failure).toBeInstanceOf(kind);
  // A value that is refused before it is sent has no cause.
  expect(isRefusedUnsent(failure) || (isNativeError(failure) && isNativeError(failure.cause))).toBe(true);
  expect(shown(failure)).not.toContain(canary);
}

/** Returns the error of `work`, as code inside the unit of work catches it. */
export async function caughtIn(
  db: TestDatabase,
  work: Work,
  options: Parameters<TestDatabase['transact']>[1] = {},
): Promise<unknown> {
  let failure: unknown;
  await db
    .transact(async (uow) => {
      failure = await rejectionOf(work(uow));
      throw failure;
    }, options)
    .catch(() => {});
  return failure;
}
