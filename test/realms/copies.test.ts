import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import * as errors from '../../src/errors.ts';
import { DuplicateError, isDataError } from '../../src/index.ts';

type Errors = typeof errors;

/** The errors as another installation of the package has them. */
async function anotherCopy(): Promise<Errors> {
  vi.resetModules();
  return import('../../src/errors.ts');
}

describe('an error of another copy of the package', () => {
  let other: Errors;
  beforeAll(async () => void (other = await anotherCopy()));

  test('is recognized, and discriminated by its code', () => {
    const error: unknown = new other.DuplicateError('taken', { constraint: 'uq_1' });

    expect(error).not.toBeInstanceOf(DuplicateError);
    expect(isDataError(error)).toBe(true);
    expect(isDataError(error) && error.code === 'duplicate' && error.constraint).toBe('uq_1');
  });

  test.each([
    [
      'an error of another library with the same code',
      Object.assign(new Error('taken'), { code: 'duplicate' }),
    ],
    [
      'an error of another realm',
      runInNewContext(`Object.assign(new Error('taken'), { code: 'duplicate' })`),
    ],
    ['an object that looks like one', { [Symbol.for('synth-lab-data.DataError')]: true, code: 'duplicate' }],
    ['nothing', null],
    ['a text', 'duplicate'],
  ])('is not recognized: %s', (_, error: unknown) => {
    expect(isDataError(error)).toBe(false);
  });
});

test('each error class has a unique code', () => {
  const codes = Object.values(errors).flatMap((Kind) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the classes differ in what they take; each makes do with this
    const made = Reflect.construct(Kind as new (...given: unknown[]) => object, [[], []]);
    return 'code' in made ? [made.code] : [];
  });

  expect(codes).toContain('duplicate');
  expect(codes.filter((code) => typeof code !== 'string')).toEqual([]);
  expect(codes).toHaveLength(new Set(codes).size);
});
