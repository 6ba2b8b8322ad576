import { catalogOf, type Catalog, type CatalogFacts } from '../catalog/catalog.ts';
import { differences, type Difference } from '../catalog/differences.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { findSqlState, isLostConnection } from '../session/find-sql-state.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { describedObjects, prepareReading } from './applied-state.ts';
import { isComparable } from './comparable.ts';
import { placeOf, queryDigest } from './record-catalog.ts';

/** How the schema differs from what the last run of migrations left. */
export interface SchemaDrift {
  /** Why it can't be compared; null when it was. */
  readonly unknown: string | null;
  /** `expected` was left by the last run, `found` is in the database now. Empty when they agree, and when they were not compared. */
  readonly differences: readonly Difference[];
  /** What of the schema was not compared, and why; absent when all of it was, or `unknown` says why none was. */
  readonly notCompared?: string;
}

type Parts = readonly (readonly [part: string, position: number | null, facts: CatalogFacts])[];

/** An object that differs; null where it is absent. JSON of `Parts`. */
interface Differing {
  readonly object: string;
  readonly expected: string | null;
  readonly found: string | null;
}

interface Recorded {
  readonly applied: string;
  readonly query: string;
  /** Whether the record was written to this database, not restored from a dump. */
  readonly here: boolean;
  /** Whether the server has the same major version. */
  readonly sameMajor: boolean;
}

/**
 * Compares the schema with what the last run left. Reads the catalog alone, in one transaction without a lasting setting; creates no
 * scratch database, and changes nothing. A state that no run has recorded is unknown, and has no differences.
 *
 * In a database that was restored from a dump, and after an upgrade to another major version, expressions, definitions and privileges are
 * not compared until the next run, because PostgreSQL prints them differently.
 */
export async function findDrift(
  database: Pick<MigratedDatabase, 'orm' | 'schema' | 'tables' | 'ignored'>,
): Promise<SchemaDrift> {
  try {
    return await inTransaction(database.orm, (session) => findDriftIn(session, database));
  } catch (error) {
    if (isLostConnection(error)) throw error;
    // A run must not fail because the schema can't be compared.
    const state = findSqlState(error);
    return unknown(reasons[state] ?? `the catalog could not be read (SQLSTATE ${state})`);
  }
}

const changing = 'the schema was changed at the same time';

const reasons: Readonly<Partial<Record<string, string>>> = {
  '42501': 'the role may not read what the last run recorded',
  // PostgreSQL describes an object that was dropped since the query began.
  XX000: changing,
  '42P01': changing,
  '42704': changing,
  '55P03': 'a part of the schema is locked',
};

/** Compares as `findDrift` does, in the transaction of `session`. */
export async function findDriftIn(
  session: Session,
  { schema, tables, ignored }: Pick<MigratedDatabase, 'schema' | 'tables' | 'ignored'>,
): Promise<SchemaDrift> {
  const { catalog } = tables;
  if (!(await isRecorded(session, schema))) return unknown('no run has recorded the schema');
  const reader = await prepareReading(session, schema, tables);
  const before = await reader.state();
  const [recorded] = await session.query<Recorded>(
    `select applied, query, place = ${placeOf(tables)} as here,
       server_version / 10000 = current_setting('server_version_num')::int / 10000 as "sameMajor" from ${catalog}`,
  );
  if (!recorded) return unknown('no run has recorded the schema');
  if (recorded.query !== queryDigest) return unknown('another version of this package recorded the schema');
  if (before.unfinished) return unknown('a migration is unfinished');
  // The numbers of entries are kept by a dump.
  if (recorded.applied !== before.applied)
    return unknown('the schema was not recorded after the last change');
  const rows = await session.query<Differing>(
    `select object, expected.described as expected, found.described as found
     from (${describedObjects}) found
     full join (select key as object, value as described from ${catalog}, jsonb_each_text(objects)) expected using (object)
     where expected.described is distinct from found.described`,
    reader.values,
  );
  // The catalog is read as it is at each moment, so that a migration that ended meanwhile would look like a difference.
  const after = await reader.state();
  if (after.unfinished || after.applied !== before.applied) return unknown('a migration runs');
  const sides = { expected: catalogFrom(rows, 'expected'), found: catalogFrom(rows, 'found') };
  const differing = differences(ignored.without(sides.expected), ignored.without(sides.found));
  const isSamePrinter = recorded.here && recorded.sameMajor;
  return {
    unknown: null,
    differences: differing.filter((one) => isComparable(one, isSamePrinter)),
    ...(isSamePrinter ? {} : { notCompared: `${printedFacts}, because ${reasonOf(recorded)}` }),
  };
}

const printedFacts = 'expressions, definitions and privileges, until the next run';

function reasonOf({ sameMajor }: Recorded): string {
  return sameMajor
    ? 'what the last run recorded was restored from a dump'
    : 'the last run was on another major version of PostgreSQL';
}

async function isRecorded(session: Session, schema: string): Promise<boolean> {
  const found = await session.query(
    `select from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname = $1 and relname in ('catalog', 'history', 'progress') and relkind = 'r'`,
    [schema],
  );
  return found.length === 3;
}

function catalogFrom(rows: readonly Differing[], side: 'expected' | 'found'): Catalog {
  const described = rows.flatMap(({ object, [side]: text }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query returns nothing else
    const parts = text === null ? [] : (JSON.parse(text) as Parts);
    return parts.map(([part, position, facts]) => ({ object, part, position, facts }));
  });
  return catalogOf(described);
}

function unknown(reason: string): SchemaDrift {
  return { unknown: reason, differences: [] };
}
