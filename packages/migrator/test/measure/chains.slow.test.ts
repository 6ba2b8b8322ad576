import { expect, test } from 'vitest';
import { foreignChains } from '../verify/foreign-chains.ts';
import { measure } from './measured.ts';

const chains = Object.entries(foreignChains);
const chosen = process.env['VERIFY_CASES'] === 'all' ? chains : chains.slice(0, 1);

// Tables of joins and of one-to-one references, partial and exclusive keys, checks that a migration adds, triggers.
test.each(chosen)(
  'measures each migration of %s with all rows in each table',
  async (_, chain) => {
    const measured = await measure(chain, 2_000);

    expect([...measured.keys()]).toEqual(Object.keys(chain));
    for (const [name, { tables, statements, failures }] of measured) {
      expect.soft(failures, name).toEqual([]);
      expect
        .soft(
          tables.filter(({ reason }) => reason !== null),
          name,
        )
        .toEqual([]);
      expect.soft(statements.length, name).toBeGreaterThan(0);
    }
  },
  600_000,
);
