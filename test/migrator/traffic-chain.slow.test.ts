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

// The other migrations lock few tables at a time; `make migrate-verify traffic=1` runs them all.
test('no generated request fails under the migration that locks every table in one transaction', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());

  const certificates = await new Migrator(db.orm).verify({
    migrations: ['Migration20261129163000_version_every_table'],
    traffic: true,
  });

  expect(undeclared(certificates)).toEqual([]);
  expect(certificates[0]?.traffic).toMatchObject({ up: { failed: 0 }, down: { failed: 0 } });
}, 600_000);
