import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { connect } from '../../postgres/orm/connect.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { refusePolicies } from '../../postgres/sql/refuse-policies.ts';
import { DataError, LegacySourceError } from '../../errors.ts';
import { parseDatabaseUrl } from '../../settings/database-url.ts';
import type { TargetTable } from '../destination/target-table.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';
import { escapeIdentifier } from 'pg';

// The limits of a chunk of rows.
const maxRows = 500;
const maxBytes = 2_000_000;
// How many row sizes are fetched ahead.
const sizesAhead = 5_000;

const settings = [
  // Values are read as text, which must not depend on the server's settings.
  ['timezone', 'UTC'],
  ['datestyle', 'ISO'],
  ['extra_float_digits', '3'],
  // The whole import is one transaction.
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['transaction_timeout', '0'],
] as const;
// Skips settings that an older server does not have.
const setting = 'select set_config(name, $2, true) from pg_settings where lower(name) = $1';

/** A PostgreSQL database of the old system, read in one read-only transaction. */
export class PostgresSource implements LegacySource {
  readonly label: string;
  readonly isSqlite = false;
  readonly notes = [];
  readonly tables: readonly SourceTable[];
  readonly #orm: MikroORM;
  readonly #em: EntityManager;

  private constructor(orm: MikroORM, em: EntityManager, label: string, tables: readonly SourceTable[]) {
    this.#orm = orm;
    this.#em = em;
    this.label = label;
    this.tables = tables;
  }

  /**
   * Connects, and begins the transaction.
   *
   * @throws SettingsError for an invalid URL.
   * @throws ConnectionError when the server can't be reached.
   * @throws LegacySourceError when it is not a legacy database.
   */
  static async open(url: string): Promise<PostgresSource> {
    const target = parseDatabaseUrl(url, '--from');
    const orm = await connect(target, { pool: { max: 1 } });
    const em = orm.em.fork();
    try {
      await em.begin({ isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
      for (const [name, value] of settings) await select(em, setting, [name, value]);
      const columns = await select<{ name: string; column: string }>(
        em,
        `select c.relname as name, a.attname as column from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
           and c.relnamespace = to_regnamespace(current_schema()) order by c.relname, a.attnum`,
      );
      const tables = [...Map.groupBy(columns, ({ name }) => name)].map(([name, all]) => ({
        name,
        columns: all.map(({ column }) => column),
      }));
      const versioned = columns.find(({ column }) => column === 'row_version');
      if (versioned) {
        throw new LegacySourceError(
          `${target.label} is not a legacy database: it has ${versioned.name}.row_version of the new schema; copy it with pg_dump instead`,
        );
      }
      // They would hide rows from the counts as well.
      await refusePolicies(
        em,
        tables.map(({ name }) => escapeIdentifier(name)),
      );
      return new PostgresSource(orm, em, target.label, tables);
    } catch (error) {
      await end(orm, em);
      throw toSourceError(error, target.label);
    }
  }

  count(table: string): Promise<number> {
    return this.#number(`select count(*)::text as n from ${escapeIdentifier(table)}`);
  }

  countValues(table: string, column: string): Promise<number> {
    return this.#number(
      `select count(${escapeIdentifier(column)})::text as n from ${escapeIdentifier(table)}`,
    );
  }

  async *rows(table: TargetTable): AsyncIterable<readonly SourceRow[]> {
    const name = escapeIdentifier(table.name);
    const key = table.key.map((column) => `r.${escapeIdentifier(column)}::text collate "C"`).join(', ');
    if (table.parent === undefined) {
      yield* this.#read(table, (values) => `select ${values} from ${name} r order by ${key}`, false);
      return;
    }
    const [id, up] = [escapeIdentifier(table.key[0] ?? ''), escapeIdentifier(table.parent)];
    const reached = `with recursive reached (id, level) as (
        select r.${id}, 0 from ${name} r
          where r.${up} is null or not exists (select 1 from ${name} p where p.${id} = r.${up})
        union all select r.${id}, reached.level + 1 from reached join ${name} r on r.${up} = reached.id
      )`;
    yield* this.#read(
      table,
      (values) =>
        `${reached} select ${values} from ${name} r join reached on reached.id = r.${id} order by reached.level, ${key}`,
      false,
    );
    yield* this.#read(
      table,
      (values) =>
        `${reached} select ${values} from ${name} r where not exists (select 1 from reached where reached.id = r.${id}) order by ${key}`,
      true,
    );
  }

  async existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>> {
    const key = escapeIdentifier(table.key[0] ?? '');
    const found = await this.#select<{ key: string }>(
      `select ${key}::text as key from ${escapeIdentifier(table.name)} where ${key} = any($1::text[])`,
      [keys],
    );
    return new Set(found.map((row) => row.key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#orm, this.#em);
  }

  async *#read(
    { columns }: TargetTable,
    query: (values: string) => string,
    inCycle: boolean,
  ): AsyncGenerator<readonly SourceRow[], void> {
    const texts = columns.map(({ name }, index) => `r.${escapeIdentifier(name)}::text as c${index}`);
    const bytes = columns.map(({ name }) => bytesOf(`r.${escapeIdentifier(name)}`));
    await this.#select(`declare legacy_rows no scroll cursor for ${query(texts.join(', '))}`);
    // A single row may have megabytes: the sizes decide how many rows are fetched at once.
    await this.#select(`declare legacy_sizes no scroll cursor for ${query(`${bytes.join(' + ')} as bytes`)}`);
    let sizes: { bytes: number }[] = [];
    for (;;) {
      if (sizes.length === 0) sizes = await this.#select(`fetch ${sizesAhead} from legacy_sizes`);
      const count = rowsInChunk(sizes);
      if (count === 0) break;
      sizes = sizes.slice(count);
      const rows = await this.#select<Record<string, string | null>>(`fetch ${count} from legacy_rows`);
      yield rows.map((row) => ({
        values: columns.map((_, index) => row[`c${index}`] ?? null),
        place: '',
        inCycle,
      }));
    }
    await this.#select('close legacy_sizes');
    await this.#select('close legacy_rows');
  }

  async #number(query: string): Promise<number> {
    const [row] = await this.#select<{ n: string }>(query);
    return Number(row?.n);
  }

  async #select<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return await select<Row>(this.#em, text, values);
    } catch (error) {
      throw toSourceError(error, this.label);
    }
  }
}

/** Returns the SQL of a value's approximate size as text in bytes. A short value is not decompressed for it. */
function bytesOf(column: string): string {
  return `(case when ${column} is null then 0 when pg_column_size(${column}) < 200 then 200 else octet_length(${column}::text) end)::float8`;
}

/** Returns how many of the next rows make a chunk; 0 when there are none. */
function rowsInChunk(sizes: readonly { readonly bytes: number }[]): number {
  let [count, sum] = [0, 0];
  for (const { bytes } of sizes) {
    sum += bytes;
    if (count === maxRows || (count > 0 && sum > maxBytes)) break;
    count++;
  }
  return count;
}

/** Returns an error of the server as one that names the source, since the target is a PostgreSQL server too. */
function toSourceError(error: unknown, label: string): unknown {
  const cause = toDataError(error);
  if (!(cause instanceof DataError) || cause instanceof LegacySourceError) return cause;
  return new LegacySourceError(`${label} can't be read: ${cause.message}`, { cause });
}

// Closing the pool would wait for the connection of the transaction.
async function end(orm: MikroORM, em: EntityManager): Promise<void> {
  await em.rollback().catch(() => {});
  await orm.close(true);
}

async function select<Row extends object>(
  em: EntityManager,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
}
