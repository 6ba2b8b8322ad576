import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { allMigrations, migrationChain, optionalMigrations } from '../schema/migration-chain.ts';

const all = process.env['VERIFY_CASES'] === 'all';
const chosen = all ? allMigrations : [...migrationChain.slice(-1), ...optionalMigrations];

test('each of our migrations loses and refuses what it declares, and nothing else', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());

  const certificates = await new Migrator(db.orm).verify({ migrations: all ? 'all' : chosen });

  expect(certificates.map((one) => one.migration)).toEqual([...chosen, ...(all ? ['the whole chain'] : [])]);
  expect(
    certificates.filter((one) => one.certificate !== 'lossless' && one.certificate !== 'lossy as declared'),
  ).toEqual([]);
  expect(certificates.flatMap(({ notSeen, notCovered }) => [...notSeen, ...notCovered])).toEqual([]);
}, 600_000);
