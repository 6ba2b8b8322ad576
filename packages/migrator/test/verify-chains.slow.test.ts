import { expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from './kit/database.ts';
import { foreignChains } from './verify/foreign-chains.ts';
import { findingsOf } from './verify/run.ts';

const chains = Object.entries(foreignChains);
const chosen = process.env['VERIFY_CASES'] === 'all' ? chains : chains.slice(0, 1);

test.each(chosen)(
  'certifies each migration of %s',
  async (_, chain) => {
    const db = await emptyDatabase();

    const certificates = await migratorOn(db, chain).verify();

    expect(Object.fromEntries(certificates.map((one) => [one.migration, findingsOf(one)]))).toEqual(
      Object.fromEntries([...Object.keys(chain), 'the whole chain'].map((name) => [name, []])),
    );
    // At the end of a chain, a trigger may refuse what it took before, such as a line for a product without stock.
    expect(
      certificates
        .slice(0, -1)
        .flatMap(({ migration, notCovered }) => notCovered.map((table) => [migration, table])),
    ).toEqual([]);
    expect(
      certificates.flatMap(({ migration, notSeen }) => notSeen.map((text) => [migration, text])),
    ).toEqual([]);
  },
  600_000,
);
