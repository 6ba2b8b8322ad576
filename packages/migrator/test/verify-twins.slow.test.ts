import { beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from 'mikro-orm-safe-migrations';
import { goodTwins } from './verify/good-twins.ts';
import { certify, findingsOf } from './verify/run.ts';

const chosen =
  process.env['VERIFY_CASES'] === 'all' ? goodTwins : goodTwins.filter((_, index) => index % 5 === 0);

describe('reports nothing of a good down', () => {
  let certificates: Certificate[] = [];
  // A few seconds each, on a busy machine more.
  beforeAll(async () => {
    certificates = await certify(chosen);
  }, chosen.length * 60_000);

  test.each(chosen.map((one, index) => ({ ...one, index })))('$kind: $name', ({ index, loses }) => {
    const certificate = certificates[index];

    expect(certificate && findingsOf(certificate)).toEqual([]);
    expect(certificate?.certificate).toBe(loses === undefined ? 'lossless' : 'lossy as declared');
    expect(certificate?.notSeen).toEqual([]);
    expect(certificate?.notCovered).toEqual([]);
  });
});
