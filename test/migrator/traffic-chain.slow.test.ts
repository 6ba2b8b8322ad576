import { join } from 'node:path';
import { Migrator, type Certificate } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { previousBuild } from './traffic/previous-build.ts';

const newest = migrationChain.at(-1) ?? '';
const thisBuild = join(import.meta.dirname, 'traffic/this-build.ts');

/** Returns what fails under traffic and is not declared. */
function undeclared(certificates: readonly Certificate[]): unknown[] {
  return certificates.flatMap(
    ({ traffic }): unknown[] =>
      traffic?.failures.filter(({ declared }) => declared === null) ?? ['no report'],
  );
}

test('no request of the previous build or of this one fails while the newest migration goes up and down', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  using previous = previousBuild(newest);

  const certificates = await new Migrator(db.orm).verify({
    migrations: [newest],
    // Without the history of the sources, the generated requests stand for the previous build.
    traffic: { old: previous?.workload, new: thisBuild },
  });

  expect(undeclared(certificates)).toEqual([]);
  expect(certificates[0]?.traffic).toMatchObject({ up: { failed: 0 }, down: { failed: 0 } });
}, 600_000);

// These lock many tables in one transaction: requests deadlock with them, and wait for several lock timeouts.
const locksManyTables: ReadonlySet<string> = new Set([
  'Migration20261121030100_domain_checks',
  'Migration20261121030300_row_versions',
  'Migration20261129163000_version_every_table',
]);

test.runIf(process.env['VERIFY_CASES'] === 'all')(
  'no generated request fails, or waits for too long, under each migration that locks few tables at a time',
  async () => {
    const db = await TestDatabase.create();
    onTestFinished(() => db.drop());

    const certificates = await new Migrator(db.orm).verify({
      migrations: migrationChain.filter((name) => !locksManyTables.has(name)),
      traffic: true,
    });

    expect(undeclared(certificates)).toEqual([]);
    expect(certificates.filter((one) => one.certificate === 'failed')).toEqual([]);
  },
  900_000,
);
