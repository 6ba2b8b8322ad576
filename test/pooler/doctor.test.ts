import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { synthdb } from '../cli/run.ts';
import { PgBouncer, whyNoPooler } from '../../packages/migrator/test/kit/pgbouncer.ts';

describe.skipIf(whyNoPooler !== null)('synthdb doctor, through a pooler', () => {
  test.each([
    ['session', true, 'session', 'note', 0],
    ['transaction', true, 'transaction', 'note', 0],
    ['transaction', true, 'external', 'note', 0],
    ['transaction', true, 'session', 'warning', 3],
    ['statement', true, 'transaction', 'warning', 3],
    // Seen by what it does.
    ['transaction', false, 'transaction', 'note', 0],
    ['transaction', false, 'session', 'warning', 3],
    ['statement', false, 'session', 'warning', 3],
  ] as const)(
    'reports a pooler in %s mode, with its console (%s) or without, for our setting %s: %s',
    async (poolMode, isOpen, ours, level, ends) => {
      await using db = await TestDatabase.create();
      await using pooler = await PgBouncer.start(db.target, { poolMode, isOpen });

      const { code, stdout } = await synthdb(['doctor', '--json'], tmpdir(), {
        DATABASE_URL: pooler.url(),
        DATABASE_POOL_MODE: ours,
      });

      expect(code).toBe(ends);
      expect(JSON.parse(stdout)).toMatchObject({
        findings: expect.arrayContaining([
          expect.objectContaining({
            subject: 'pooler',
            level,
            facts: { inFront: true, mode: poolMode },
          }),
        ]),
      });
    },
  );
});
