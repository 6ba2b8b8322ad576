import { Migrator, type Certificate } from 'mikro-orm-safe-migrations';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';
import type { Case } from './bad-downs.ts';
import { base, reset } from './base.ts';

/** Verifies cases, each on the same schema, and returns their certificates in the same order. */
export async function certify(cases: readonly Case[]): Promise<Certificate[]> {
  const chain: Migrations = Object.fromEntries(
    cases.flatMap(({ up, down, loses = [], refuses = [] }, index) => [
      [`M${index}_base`, { up: [reset, ...base] }],
      [`M${index}_case`, { up, down, loses, refuses }],
    ]),
  );
  await using db = await TestDatabase.create();
  const orm = projectOn(db.url, chain);
  try {
    return await new Migrator(orm).verify({ migrations: cases.map((_, index) => `M${index}_case`) });
  } finally {
    await orm.close(true);
  }
}

/** Returns what a certificate reports and its migration does not declare, sorted. */
export function findingsOf(certificate: Certificate): string[] {
  const { loses, losesDown, refusesUp, refusesDown, differences, failures } = certificate;
  const found = [
    ...undeclared('loses', [...loses, ...losesDown]),
    ...undeclared('refuses', [...refusesUp, ...refusesDown]),
    ...differences.map(({ difference: { object, part } }) =>
      ['differs', object, part].filter(Boolean).join(' '),
    ),
    ...failures.map((text) => `fails: ${text}`),
  ];
  return [...new Set(found)].toSorted();
}

function undeclared(does: string, effects: Certificate['loses']): string[] {
  return effects.filter(({ declared }) => declared === null).map(({ object }) => `${does} ${object}`);
}
