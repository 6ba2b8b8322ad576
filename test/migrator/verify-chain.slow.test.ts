import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';

const chosen = process.env['VERIFY_CASES'] === 'all' ? migrationChain : migrationChain.slice(-1);

/** The migrations that lose something; the others lose nothing. */
const lossy: ReadonlySet<string> = new Set([
  'Migration20261121030000_initial_schema',
  'Migration20261121030300_row_versions',
  'Migration20261129163000_version_every_table',
]);

test('each of our migrations loses and refuses what it declares, and nothing else', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());

  const certificates = await new Migrator(db.orm).verify({ migrations: chosen });

  expect(certificates.map((one) => [one.migration, one.certificate])).toEqual(
    chosen.map((name) => [name, lossy.has(name) ? 'lossy as declared' : 'lossless']),
  );
  expect(certificates.flatMap(({ notSeen, notCovered }) => [...notSeen, ...notCovered])).toEqual([]);
}, 600_000);
