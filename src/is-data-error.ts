import { isNativeError } from 'node:util/types';
import type * as errors from './errors.ts';

type Instance<Class> = Class extends new (...args: never) => infer Made ? Made : never;

/** Any error of the package, discriminated by its `code`. */
export type AnyDataError = Extract<
  { [Name in keyof typeof errors]: Instance<(typeof errors)[Name]> }[keyof typeof errors],
  errors.DataError
>;

const brand = Symbol.for('synth-lab-data.DataError');

/**
 * Returns whether `error` is an error of the package, also of another copy of it or of another realm: a second installation, modules that a
 * test runner loaded again, a context of `node:vm`. Compare its `code` then, since `instanceof` recognizes one copy only.
 */
export function isDataError(error: unknown): error is AnyDataError {
  return isNativeError(error) && brand in error;
}
