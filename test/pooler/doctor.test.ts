import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { synthdb } from '../cli/run.ts';
import { PgBouncer, whyNoPooler } from './pgbouncer.ts';

describe.skipIf(whyNoPooler !== null)('synthdb doctor, through a pooler', () => {
  test.each(['transaction', 'session'] as const)('tells that it is there, in %s mode', async (poolMode) => {
    await using db = await TestDatabase.create();
    await using pooler = await PgBouncer.start(db.target, { poolMode });

    const { code, stdout } = await synthdb(['doctor', '--json'], tmpdir(), { DATABASE_URL: pooler.url() });

    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          subject: 'pooler',
          level: 'note',
          facts: { inFront: true, mode: poolMode },
        }),
      ]),
    });
  });
});
