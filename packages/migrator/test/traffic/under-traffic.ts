import { Migrator, type TrafficReport } from 'mikro-orm-safe-migrations';
import { TestDatabase } from '../kit/database.ts';
import { projectOn, type Migrations } from '../project.ts';

/** The lock timeout of the migrations under traffic. */
export const lockTimeout = 500;

/** Verifies the last migration of a chain under traffic, and returns its report. */
export async function underTraffic(
  last: Migrations[string],
  before: readonly string[],
): Promise<TrafficReport> {
  await using db = await TestDatabase.create();
  const orm = projectOn(db.url, { M1: { up: before }, M9: last });
  try {
    const [certificate] = await new Migrator(orm, { lockTimeout }).verify({
      migrations: ['M9'],
      traffic: true,
    });
    if (!certificate?.traffic) throw new Error('no report');
    return certificate.traffic;
  } finally {
    await orm.close(true);
  }
}

/** Returns what fails and is not declared, each once: whose requests, of what, by which error. */
export function findingsOf({ failures }: TrafficReport): string[] {
  const found = failures
    .filter(({ declared }) => declared === null)
    .map(({ code, object, what }) => `${code} ${object} ${/\b([0-9A-Z]{5})\b\)?$/.exec(what)?.[1] ?? what}`);
  return [...new Set(found)].toSorted();
}
