import { isNativeError } from 'node:util/types';
import type * as errors from './errors.ts';

type Instance<Class> = Class extends new (...args: never) => infer Made ? Made : never;

/** Any of the package's errors. Its `code` tells which, and TypeScript narrows by it. */
export type AnyDataError = Extract<
  { [Name in keyof typeof errors]: Instance<(typeof errors)[Name]> }[keyof typeof errors],
  errors.DataError
>;

const brand = Symbol.for('synth-lab-data.DataError');

/**
 * Returns whether `error` is one of the package's errors, also when another copy of the package made it, or one in another realm: a
 * second installation, modules that a test runner loaded again, a context of `node:vm`. Compare its `code` then; `instanceof` knows
 * the classes of one copy only.
 */
export function isDataError(error: unknown): error is AnyDataError {
  return isNativeError(error) && brand in error;
}
