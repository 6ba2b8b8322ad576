import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { connect } from '../../postgres/orm/connect.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { DataError, LegacySourceError } from '../../errors.ts';
import { parseDatabaseUrl } from '../../settings/database-url.ts';
import type { TargetTable } from '../target/target-table.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';
import { quoted } from './quoted.ts';

// A piece of rows ends at either of them.
const mostRows = 500;
const mostBytes = 2_000_000;
// How many rows' sizes are known ahead.
const mostSizes = 5_000;

const settings = [
  // All that is read is read as text: the same text, whatever the server's own settings are.
  ['timezone', 'UTC'],
  ['datestyle', 'ISO'],
  ['extra_float_digits', '3'],
  // A policy that hides rows would hide them from the counts as well: then they can't be read.
  ['row_security', 'off'],
  // It is one transaction, however long the import takes.
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['transaction_timeout', '0'],
] as const;
// Older servers do not know all of them.
const setting = 'select set_config(name, $2, true) from pg_settings where lower(name) = $1';

/** A PostgreSQL database of the old system. It is read within one read-only transaction. */
export class PostgresSource implements LegacySource {
  readonly label: string;
  readonly tables: readonly SourceTable[];
  readonly #orm: MikroORM;
  readonly #em: EntityManager;

  private constructor(orm: MikroORM, em: EntityManager, label: string, tables: readonly SourceTable[]) {
    this.#orm = orm;
    this.#em = em;
    this.label = label;
    this.tables = tables;
  }

  /** @throws SettingsError, ConnectionError; LegacySourceError when the database is no old one. */
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
        columns: all.map(({ column }) => ({ name: column, filledWithNow: false })),
      }));
      const versioned = columns.find(({ column }) => column === 'row_version');
      if (versioned) {
        throw new LegacySourceError(
          `${target.label} is no old database: ${versioned.name}.row_version is of ours; copy it with pg_dump`,
        );
      }
      return new PostgresSource(orm, em, target.label, tables);
    } catch (error) {
      await end(orm, em);
      throw toSourceError(error, target.label);
    }
  }

  count(table: string): Promise<number> {
    return this.#number(`select count(*)::text as n from ${quoted(table)}`);
  }

  countValues(table: string, column: string): Promise<number> {
    return this.#number(`select count(${quoted(column)})::text as n from ${quoted(table)}`);
  }

  async *rows(table: TargetTable): AsyncIterable<readonly SourceRow[]> {
    const name = quoted(table.name);
    const key = table.key.map((column) => `r.${quoted(column)}::text collate "C"`).join(', ');
    if (table.parent === undefined) {
      yield* this.#read(table, (values) => `select ${values} from ${name} r order by ${key}`, false);
      return;
    }
    const [id, up] = [quoted(table.key[0] ?? ''), quoted(table.parent)];
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
    const key = quoted(table.key[0] ?? '');
    const found = await this.#select<{ key: string }>(
      `select ${key}::text as key from ${quoted(table.name)} where ${key} = any($1::text[])`,
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
    const texts = columns.map(({ name }, index) => `r.${quoted(name)}::text as c${index}`);
    const bytes = columns.map(({ name }) => bytesOf(`r.${quoted(name)}`));
    await this.#select(`declare legacy_rows no scroll cursor for ${query(texts.join(', '))}`);
    // A row among small ones may have megabytes: how many fit into a piece has to be known before they are fetched.
    await this.#select(`declare legacy_sizes no scroll cursor for ${query(`${bytes.join(' + ')} as bytes`)}`);
    let sizes: { bytes: number }[] = [];
    for (;;) {
      if (sizes.length === 0) sizes = await this.#select(`fetch ${mostSizes} from legacy_sizes`);
      const count = rowsOfPiece(sizes);
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

/** How many bytes a value has as text, about; a short one is not unpacked for that. */
function bytesOf(column: string): string {
  return `(case when ${column} is null then 0 when pg_column_size(${column}) < 200 then 200 else octet_length(${column}::text) end)::float8`;
}

/** How many of the next rows make a piece; 0 when there are none. */
function rowsOfPiece(sizes: readonly { readonly bytes: number }[]): number {
  let [count, sum] = [0, 0];
  for (const { bytes } of sizes) {
    sum += bytes;
    if (count === mostRows || (count > 0 && sum > mostBytes)) break;
    count++;
  }
  return count;
}

/** What the server said, as an error that names the source: the target is such a server too. */
function toSourceError(error: unknown, label: string): unknown {
  const told = toDataError(error);
  if (!(told instanceof DataError) || told instanceof LegacySourceError) return told;
  return new LegacySourceError(`${label} can't be read: ${told.message}`, { cause: told });
}

// The pool would wait for the transaction's connection.
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
