import { createHash } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf, type MigratorTables } from '../ledger/tables.ts';
import { catalogQuery, dropQuery, tablesQuery } from './query.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';

/** Facts of an object or one of its parts by their names: `type`, `default`, `definition`. Those that do not apply are omitted. */
export type CatalogFacts = Readonly<Record<string, string>>;

/** An object of a schema: its own facts, and those of its parts by their names: `column name`, `index idx_name`. */
export interface CatalogObject {
  readonly facts: CatalogFacts;
  readonly parts: ReadonlyMap<string, CatalogFacts>;
  /** Names of the columns, in their order. */
  readonly columns: readonly string[];
}

/**
 * The schema of a database: its objects by kind and name, such as `table experiments`. Names outside `public` have a schema.
 */
export type Catalog = ReadonlyMap<string, CatalogObject>;

/** An object (`part` is empty) or one of its parts, as a query describes it. */
export interface CatalogRow {
  readonly object: string;
  readonly part: string;
  /** The number of a column; null for any other part. */
  readonly position: number | null;
  readonly facts: CatalogFacts;
}

/** Statements for a transaction that reads a catalog: the texts that PostgreSQL prints depend on settings. */
export const printingSettings = `set local search_path to ''; set local timezone to 'UTC'; set local datestyle to 'ISO';
  set local intervalstyle to 'postgres'; set local extra_float_digits to 1; set local bytea_output to 'hex';
  set local quote_all_identifiers to off; set local standard_conforming_strings to on; set local lc_monetary to 'C';
  -- Compiling the query takes longer than it runs.
  set local jit to off;
  -- Reading thousands of tables takes seconds, which a timeout of the role must not end.
  set local statement_timeout to 0`;

/**
 * Returns the schema of the connected database: schemas, tables, columns, constraints, indexes, triggers, rules, policies, statistics,
 * views, sequences, functions, types, collations, extensions and event triggers, with their comments and privileges. Omits objects
 * of the system, of extensions and of the migrator (its schema and the ORM's log). Also omits rows, owners, tablespaces, publications,
 * languages and operators: these differ between servers with the same schema.
 */
export function readCatalog(orm: MikroORM, schema = 'migrator'): Promise<Catalog> {
  return inTransaction(orm, (session) => readCatalogIn(session, schema, tablesOf(orm, schema)));
}

/** Returns the catalog as `readCatalog` does, in the transaction of `session`. */
export async function readCatalogIn(
  session: Session,
  schema: string,
  { log, logSchema }: Pick<MigratorTables, 'log' | 'logSchema'>,
): Promise<Catalog> {
  const excluded = await exclusionsOf(session, schema, log);
  await session.query(printingSettings);
  const rows = await session.query<Omit<CatalogRow, 'facts'> & { readonly facts: string }>(
    `select object, part, position, facts from (${catalogQuery}) described order by object, position, part collate "C"`,
    [...excluded, logSchema],
  );
  return catalogOf(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query returns nothing else
    rows.map((row) => ({ ...row, facts: JSON.parse(row.facts) as CatalogFacts })),
  );
}

/** Returns the catalog that rows describe; the columns of an object come in their order. */
export function catalogOf(rows: Iterable<CatalogRow>): Catalog {
  const catalog = new Map<
    string,
    { facts: CatalogFacts; parts: Map<string, CatalogFacts>; columns: string[] }
  >();
  for (const { object, part, position, facts } of rows) {
    const entry = catalog.get(object) ?? { facts: {}, parts: new Map<string, CatalogFacts>(), columns: [] };
    catalog.set(object, entry);
    if (part === '') entry.facts = facts;
    else entry.parts.set(part, facts);
    if (position !== null) entry.columns.push(part.replace(/^column /, ''));
  }
  return catalog;
}

/**
 * Returns the statements that drop objects of the connected database, by the objects' names in a catalog; the newest object first.
 */
export async function dropStatements(
  orm: MikroORM,
  schema: string,
  objects: readonly string[],
): Promise<Map<string, string>> {
  const rows = await inTransaction(orm, async (session) => {
    // With the search path of a catalog, so that argument types have the same names.
    await session.query(`set local search_path to ''`);
    const excluded = await exclusionsOf(session, schema, tablesOf(orm, schema).log);
    return session.query<{ object: string; sql: string }>(dropQuery, [...excluded, objects]);
  });
  return new Map(rows.map(({ object, sql }) => [object, sql]));
}

/** Whether the connected database has a table besides the migrator's and the ORM's log. */
export async function hasUserTables(orm: MikroORM, schema: string): Promise<boolean> {
  const session = poolSession(orm);
  const excluded = await exclusionsOf(session, schema, tablesOf(orm, schema).log);
  const [row] = await session.query<{ found: boolean }>(tablesQuery, excluded);
  return row?.found ?? false;
}

/** Returns what the queries exclude: the migrator's schema by its name, and the logs of all chains by their oids. */
export async function exclusionsOf(
  session: Session,
  schema: string,
  log: string,
): Promise<[string, string[]]> {
  const history = `"${schema}"."history"`;
  const [readable] = await session.query(
    `select from pg_class c join pg_namespace n on n.oid = relnamespace
     where nspname = $1 and relname = 'history' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')`,
    [schema],
  );
  const logs = await session.query<{ oid: string }>(
    `select distinct to_regclass(log)::oid::text as oid from (
       select $1 as log ${readable ? `union select to_jsonb(history) ->> 'chain' from ${history} history where to_jsonb(history) ->> 'chain' <> ''` : ''}
     ) logs where to_regclass(log) is not null`,
    [log],
  );
  return [schema, logs.map(({ oid }) => oid)];
}

/** Returns the digest of a catalog; equal schemas have equal digests. */
export function fingerprint(catalog: Catalog): string {
  const hash = createHash('sha256');
  for (const [object, { facts, parts, columns }] of sorted(catalog)) {
    const content = [
      object,
      sortedFacts(facts),
      columns,
      sorted(parts).map(([part, of]) => [part, sortedFacts(of)]),
    ];
    hash.update(JSON.stringify(content)).update('\n');
  }
  return hash.digest('hex');
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function sortedFacts(facts: CatalogFacts): [string, string][] {
  return sorted(new Map(Object.entries(facts)));
}
