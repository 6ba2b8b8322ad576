import { beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from 'mikro-orm-safe-migrations';
import { badDowns, type Case } from './verify/bad-downs.ts';
import { certify, findingsOf } from './verify/run.ts';

const everything = process.env['VERIFY_CASES'] === 'all';
const isFirst = (cases: readonly Case[]) => (one: Case, index: number) =>
  cases.findIndex(({ kind }) => kind === one.kind) === index;

const chosen = everything ? badDowns : badDowns.filter(isFirst(badDowns));

describe('names what a bad down breaks', () => {
  let certificates: Certificate[] = [];
  // A few seconds each, on a busy machine more.
  beforeAll(async () => {
    certificates = await certify(chosen);
  }, chosen.length * 60_000);

  test.each(chosen.map((one, index) => ({ ...one, index })))('$kind: $name', ({ index, finds }) => {
    const certificate = certificates[index];

    expect(certificate && findingsOf(certificate)).toEqual(finds);
    expect(certificate?.certificate).toBe('failed');
  });
});
