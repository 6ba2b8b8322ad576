import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isUint8Array } from 'node:util/types';
import { LegacySourceError } from '../../errors.ts';
import type { TargetTable } from '../destination/target-table.ts';
import {
  UnreadableText,
  type LegacySource,
  type SourceRow,
  type SourceTable,
  type SourceValue,
} from './legacy-source.ts';
import { loadSqlite } from './load-sqlite.ts';
import { escapeIdentifier } from 'pg';
import { toSqliteError } from './to-sqlite-error.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

// The old system never set `user_version`; a later one that does is recognized by it.
const newestVersion = 15;
// In milliseconds.
const lockTimeout = 2_000;
// The limits of a chunk of rows.
const maxRows = 250;
const maxCharacters = 1_000_000;

/** A SQLite file of the old system, read in one transaction and never written. */
export class SqliteSource implements LegacySource {
  readonly label: string;
  readonly isSqlite = true;
  readonly tables: readonly SourceTable[];
  readonly notes: readonly string[];
  readonly #wal: WriteAheadLog;
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #lookups = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, file: string, wal: WriteAheadLog) {
    this.#wal = wal;
    this.notes = wal.mayLack ? [missingLog(file)] : [];
    this.#database = database;
    this.#file = file;
    this.label = file;
    this.tables = readTables(database);
  }

  /**
   * Opens the file, and begins the transaction.
   *
   * @throws LegacySourceError when the file can't be read, or has a later schema version.
   */
  static async open(file: string): Promise<SqliteSource> {
    if (!existsSync(file)) throw new LegacySourceError(`${file} does not exist; check --from`);
    if (!statSync(file).isFile()) throw new LegacySourceError(`${file} is not a file; check --from`);
    const { DatabaseSync } = await loadSqlite();
    const wal = new WriteAheadLog(file, DatabaseSync);
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(file, { readOnly: true, timeout: lockTimeout });
      // A snapshot: later writes of other processes are not visible.
      database.exec('begin');
      assertReadable(database, file);
      return new SqliteSource(database, file, wal);
    } catch (error) {
      database?.close();
      wal.removeOwn();
      throw toSqliteError(error, file);
    }
  }

  count(table: string): Promise<number> {
    return this.#number(`select count(*) n from ${escapeIdentifier(table)}`);
  }

  countValues(table: string, column: string): Promise<number> {
    return this.#number(`select count(${escapeIdentifier(column)}) n from ${escapeIdentifier(table)}`);
  }

  async *rows(table: TargetTable): AsyncIterable<readonly SourceRow[]> {
    try {
      if (table.parent === undefined) {
        yield* this.#read(table, 'from main.TABLE r order by r.rowid', false);
        return;
      }
      this.#orderTree(table, table.parent);
      yield* this.#read(
        table,
        'from temp.tree t join main.TABLE r on r.rowid = t.node order by t.position',
        false,
      );
      yield* this.#read(
        table,
        'from main.TABLE r where not exists (select 1 from temp.tree t where t.node = r.rowid) order by r.rowid',
        true,
      );
    } catch (error) {
      throw toSqliteError(error, this.#file);
    }
  }

  existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>> {
    let lookup = this.#lookups.get(table.name);
    if (!lookup) {
      const [key = ''] = table.key;
      lookup = this.#database.prepare(
        `select 1 from ${escapeIdentifier(table.name)} where ${escapeIdentifier(key)} = ?`,
      );
      this.#lookups.set(table.name, lookup);
    }
    return this.#attempt(() => new Set(keys.filter((key) => lookup.get(key) !== undefined)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    this.#wal.removeOwn();
  }

  *#read(table: TargetTable, from: string, inCycle: boolean): Generator<readonly SourceRow[], void> {
    const names = table.columns.map(({ name }) => `r.${escapeIdentifier(name)}`);
    // Older versions of Node truncate text at U+0000, and all replace invalid UTF-8, silently. The summed lengths reveal it.
    const lengths = names.map((name) => `iif(typeof(${name}) = 'text', length(cast(${name} as blob)), 0)`);
    const statement = this.#rowStatement(
      `select r.rowid, ${lengths.join(' + ')}, ${names.join(', ')} ${from.replace('TABLE', escapeIdentifier(table.name))}`,
    );
    let chunk: SourceRow[] = [];
    let characters = 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types know only of rows as objects
    for (const row of statement.iterate() as Iterable<unknown> as Iterable<
      [bigint, bigint, ...SourceValue[]]
    >) {
      const [rowid, length, ...values] = row;
      const bytes = values.reduce<number>((sum, value) => sum + bytesOf(value), 0);
      const whole = bytes === Number(length) && !values.some(mayBeLossy);
      chunk.push({ values: whole ? values : this.#reread(table, rowid), place: String(rowid), inCycle });
      characters += bytes;
      if (chunk.length < maxRows && characters < maxCharacters) continue;
      yield chunk;
      chunk = [];
      characters = 0;
    }
    if (chunk.length > 0) yield chunk;
  }

  /** Reads a row whose texts the driver changed again, as bytes. */
  #reread(table: TargetTable, rowid: bigint): SourceValue[] {
    const names = table.columns.map(({ name }) => escapeIdentifier(name));
    const statement = this.#rowStatement(
      `select ${names.map((name) => `typeof(${name}) = 'text', iif(typeof(${name}) = 'text', cast(${name} as blob), ${name})`).join(', ')}
       from ${escapeIdentifier(table.name)} where rowid = ?`,
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const read = statement.get(rowid) as unknown as SourceValue[];
    return names.map((_, index) => {
      const value = read[index * 2 + 1] ?? null;
      return read[index * 2] === 1n && isUint8Array(value) ? decode(value) : value;
    });
  }

  /** Prepares a statement that returns rows as arrays and integers as `bigint`. */
  #rowStatement(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement;
  }

  /** Lists the rows of a tree in a temporary table, each after its parent, without rows in a cycle. */
  #orderTree({ name, key: [key = ''] }: TargetTable, parent: string): void {
    const [table, id, up] = [escapeIdentifier(name), escapeIdentifier(key), escapeIdentifier(parent)];
    this.#database.exec(`
      drop table if exists temp.tree;
      create temp table tree (position integer primary key, node integer);
      insert into temp.tree (node)
        with recursive reached (node, id) as (
          select rowid, ${id} from main.${table} r
            where ${up} is null or not exists (select 1 from main.${table} p where p.${id} = r.${up})
          union all
          select r.rowid, r.${id} from reached join main.${table} r on r.${up} = reached.id
        )
        select node from reached;
      create index temp.tree_node on tree (node)`);
  }

  #number(sql: string): Promise<number> {
    return this.#attempt(() => Number(this.#database.prepare(sql).get()?.['n']));
  }

  // Wraps SQLite's synchronous calls in the asynchronous interface of a source.
  async #attempt<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      throw toSqliteError(error, this.#file);
    }
  }
}

function missingLog(file: string): string {
  return (
    `${file} keeps its newest rows in ${file}-wal, which is not there. A system that has ended leaves none behind; ` +
    "if the file was copied without it, those rows are missing here, which can't be known"
  );
}

function assertReadable(database: DatabaseSync, file: string): void {
  const pageSize = Number(database.prepare('pragma page_size').get()?.['page_size']);
  // SQLite would read the missing part of an incomplete last page as zeros.
  if (statSync(file).size % pageSize !== 0) {
    throw new LegacySourceError(
      `${file} can't be read: it is truncated or not a SQLite database; restore it from a backup`,
    );
  }
  const version = Number(database.prepare('pragma user_version').get()?.['user_version']);
  if (version > newestVersion) {
    throw new LegacySourceError(
      `${file} has schema version ${version}; supported are versions up to ${newestVersion}; export it with the system that wrote it`,
    );
  }
  const encoding = database.prepare('pragma encoding').get()?.['encoding'];
  if (encoding !== 'UTF-8') {
    throw new LegacySourceError(
      `${file} is encoded in ${String(encoding)}; expected UTF-8; convert it with sqlite3's .dump`,
    );
  }
}

function readTables(database: DatabaseSync): SourceTable[] {
  const names = database
    .prepare(
      `select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name`,
    )
    .all();
  return names.map(({ name }) => ({
    name: String(name),
    columns: database
      .prepare('select name from pragma_table_xinfo(?) order by cid')
      .all(String(name))
      .map((column) => String(column['name'])),
  }));
}

function bytesOf(value: SourceValue): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

function mayBeLossy(value: SourceValue): boolean {
  return typeof value === 'string' && value.includes('\uFFFD');
}

function decode(bytes: Uint8Array): SourceValue {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new UnreadableText('is not valid UTF-8');
  }
}
