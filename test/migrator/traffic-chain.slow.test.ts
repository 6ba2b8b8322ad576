import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';

test('traffic', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  const names = (process.env['NAMES'] ?? '').split(',').filter(Boolean);
  const certificates = await new Migrator(db.orm, { lockTimeout: Number(process.env['LT'] ?? 1000) }).verify({ traffic: true, ...(names.length > 0 && { migrations: names }) });
  for (const one of certificates) console.log(one.migration, one.certificate, one.durationMs, JSON.stringify(one.traffic, null, 1));
  expect(1).toBe(1);
}, 900_000);
