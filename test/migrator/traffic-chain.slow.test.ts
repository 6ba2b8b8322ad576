import { join } from 'node:path';
import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { previousBuild } from './traffic/previous-build.ts';

test('traffic', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  const [newest = ''] = migrationChain.slice(-1);
  using previous = previousBuild(newest);
  const t = performance.now();
  const certificates = await new Migrator(db.orm).verify({
    migrations: (process.env['NAMES'] ?? newest).split(','),
    traffic: {
      old: process.env['NOOLD'] ? undefined : previous?.workload,
      new: join(import.meta.dirname, 'traffic/this-build.ts'),
    },
  });
  for (const one of certificates)
    console.log(one.migration, one.certificate, one.durationMs, JSON.stringify(one.traffic, null, 1));
  expect(1).toBe(1);
}, 900_000);
