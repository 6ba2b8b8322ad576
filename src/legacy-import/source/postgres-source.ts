import { IsolationLevel, type EntityManager, type MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { connect } from '../../database/connect.ts';
import { toDataError } from '../../database/translate-error.ts';
import { LegacySourceError } from '../../errors.ts';
import { parseDatabaseUrl } from '../../settings/database-url.ts';
import type { TargetTable } from '../target/target-table.ts';
import type { LegacySource, SourceRow, SourceTable } from './legacy-source.ts';
import { quoted } from './quoted.ts';

// A piece of rows has about so many characters, as far as the one before it tells.
const wantedCharacters = 1_000_000;
const mostRows = 500;

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
      // All that is read is read as text: the same text, whatever the server's own settings are.
      await em.execute(`set local timezone = 'UTC'`);
      await em.execute(`set local datestyle = 'ISO'`);
      await em.execute('set local extra_float_digits = 3');
      await em.execute('set local idle_in_transaction_session_timeout = 0');
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
      throw toDataError(error);
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
    const found = await select<{ key: string }>(
      this.#em,
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
    await select(this.#em, `declare legacy_rows no scroll cursor for ${query}`);
    let count = 20;
    for (;;) {
      const rows = await select<Record<string, string | null>>(this.#em, `fetch ${count} from legacy_rows`);
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
    await select(this.#em, 'close legacy_rows');
  }

  async #number(query: string): Promise<number> {
    const [row] = await select<{ n: string }>(this.#em, query);
    return Number(row?.n);
  }
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
  try {
    return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
  } catch (error) {
    throw toDataError(error);
  }
}
