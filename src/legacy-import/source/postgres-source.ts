import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { connect } from '../../database/connect.ts';
import { toDataError } from '../../database/translate-error.ts';
import { DataError, LegacySourceError } from '../../errors.ts';
import { parseDatabaseUrl } from '../../settings/database-url.ts';
import type { TargetTable } from '../target/target-table.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';
import { quoted } from './quoted.ts';

// A piece of rows has about so many characters, as far as the one before it tells.
const wantedCharacters = 1_000_000;
const mostRows = 500;

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
    const columns = table.columns.map(({ name }, index) => `r.${quoted(name)}::text as c${index}`).join(', ');
    const name = quoted(table.name);
    const key = table.key.map((column) => `r.${quoted(column)}::text collate "C"`).join(', ');
    if (table.parent === undefined) {
      yield* this.#read(table, `select ${columns} from ${name} r order by ${key}`, false);
      return;
    }
    const [id, up] = [quoted(table.key[0] ?? ''), quoted(table.parent)];
    const reached = `with recursive reached (id, level) as (
        select r.${id}, 0 from ${name} r
          where r.${up} is null or not exists (select 1 from ${name} p where p.${id} = r.${up})
        union all select r.${id}, reached.level + 1 from reached join ${name} r on r.${up} = reached.id
      ) select ${columns} from ${name} r`;
    yield* this.#read(
      table,
      `${reached} join reached on reached.id = r.${id} order by reached.level, ${key}`,
      false,
    );
    yield* this.#read(
      table,
      `${reached} where not exists (select 1 from reached where reached.id = r.${id}) order by ${key}`,
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
    table: TargetTable,
    query: string,
    inCycle: boolean,
  ): AsyncGenerator<readonly SourceRow[], void> {
    await this.#select(`declare legacy_rows no scroll cursor for ${query}`);
    let count = 20;
    for (;;) {
      const rows = await this.#select<Record<string, string | null>>(`fetch ${count} from legacy_rows`);
      if (rows.length === 0) break;
      let characters = 0;
      const piece = rows.map((row) => {
        const values = table.columns.map((_, index) => row[`c${index}`] ?? null);
        characters += values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
        return { values, place: '', inCycle };
      });
      count = Math.min(mostRows, Math.max(1, Math.floor(wantedCharacters / (characters / rows.length + 1))));
      yield piece;
    }
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
