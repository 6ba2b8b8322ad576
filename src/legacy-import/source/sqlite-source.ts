import { existsSync, statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isUint8Array } from 'node:util/types';
import { LegacySourceError } from '../../errors.ts';
import type { TargetTable } from '../target/target-table.ts';
import {
  UnreadableText,
  type LegacySource,
  type SourceRow,
  type SourceTable,
  type SourceValue,
} from './legacy-source.ts';
import { loadSqlite } from './load-sqlite.ts';
import { quoted } from './quoted.ts';
import { toSourceError } from './sqlite-failures.ts';

// The old system never wrote a version down; a later one that does is known by it.
const newestVersion = 15;
const lockWait = 2_000;
// A piece of rows ends at either of them.
const mostRows = 250;
const mostCharacters = 1_000_000;

/** A SQLite file of the old system. It is read within one transaction and never written. */
export class SqliteSource implements LegacySource {
  readonly label: string;
  readonly tables: readonly SourceTable[];
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #lookups = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
    this.label = file;
    this.tables = readTables(database);
  }

  /** @throws LegacySourceError when the file can't be read, or is of a later version. */
  static async open(file: string): Promise<SqliteSource> {
    if (!existsSync(file)) throw new LegacySourceError(`${file} does not exist`);
    if (!statSync(file).isFile()) throw new LegacySourceError(`${file} is no file`);
    const { DatabaseSync } = await loadSqlite();
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(file, { readOnly: true, timeout: lockWait });
      // Until it ends, nothing that another process writes is seen.
      database.exec('begin');
      mustBeReadable(database, file);
      return new SqliteSource(database, file);
    } catch (error) {
      database?.close();
      throw toSourceError(error, file);
    }
  }

  count(table: string): Promise<number> {
    return this.#number(`select count(*) n from ${quoted(table)}`);
  }

  countValues(table: string, column: string): Promise<number> {
    return this.#number(`select count(${quoted(column)}) n from ${quoted(table)}`);
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
      throw toSourceError(error, this.#file);
    }
  }

  existing(table: TargetTable, keys: readonly string[]): Promise<ReadonlySet<string>> {
    let lookup = this.#lookups.get(table.name);
    if (!lookup) {
      const [key = ''] = table.key;
      lookup = this.#database.prepare(`select 1 from ${quoted(table.name)} where ${quoted(key)} = ?`);
      this.#lookups.set(table.name, lookup);
    }
    return this.#attempt(() => new Set(keys.filter((key) => lookup.get(key) !== undefined)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
  }

  *#read(table: TargetTable, from: string, inCycle: boolean): Generator<readonly SourceRow[], void> {
    const names = table.columns.map(({ name }) => `r.${quoted(name)}`);
    // Silently, older Nodes end a text at U+0000, and all mend what is no UTF-8. The lengths of all texts tell that it was done.
    const lengths = names.map((name) => `iif(typeof(${name}) = 'text', length(cast(${name} as blob)), 0)`);
    const statement = this.#rowStatement(
      `select r.rowid, ${lengths.join(' + ')}, ${names.join(', ')} ${from.replace('TABLE', quoted(table.name))}`,
    );
    let piece: SourceRow[] = [];
    let characters = 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types know only of rows as objects
    for (const row of statement.iterate() as Iterable<unknown> as Iterable<
      [bigint, bigint, ...SourceValue[]]
    >) {
      const [rowid, length, ...values] = row;
      const bytes = values.reduce<number>((sum, value) => sum + bytesOf(value), 0);
      const whole = bytes === Number(length) && !values.some(wasMended);
      piece.push({ values: whole ? values : this.#reread(table, rowid), place: String(rowid), inCycle });
      characters += bytes;
      if (piece.length < mostRows && characters < mostCharacters) continue;
      yield piece;
      piece = [];
      characters = 0;
    }
    if (piece.length > 0) yield piece;
  }

  /** A row whose texts are not what the driver makes of them, from their bytes. */
  #reread(table: TargetTable, rowid: bigint): SourceValue[] {
    const names = table.columns.map(({ name }) => quoted(name));
    const statement = this.#rowStatement(
      `select ${names.map((name) => `typeof(${name}) = 'text', iif(typeof(${name}) = 'text', cast(${name} as blob), ${name})`).join(', ')}
       from ${quoted(table.name)} where rowid = ?`,
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const read = statement.get(rowid) as unknown as SourceValue[];
    return names.map((_, index) => {
      const value = read[index * 2 + 1] ?? null;
      return read[index * 2] === 1n && isUint8Array(value) ? decoded(value) : value;
    });
  }

  /** A statement that gives rows as arrays, and integers with all their digits. */
  #rowStatement(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement;
  }

  /** Lists the rows of a tree in a table of this connection, each after its parent; rows in a cycle are in none. */
  #orderTree({ name, key: [key = ''] }: TargetTable, parent: string): void {
    const [table, id, up] = [quoted(name), quoted(key), quoted(parent)];
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

  // The source may also be a server, which answers later; SQLite answers at once.
  async #attempt<T>(work: () => T): Promise<T> {
    try {
      return work();
    } catch (error) {
      throw toSourceError(error, this.#file);
    }
  }
}

function mustBeReadable(database: DatabaseSync, file: string): void {
  const pageSize = Number(database.prepare('pragma page_size').get()?.['page_size']);
  // Of a last page that is not whole, SQLite would take what is missing for zeros.
  if (statSync(file).size % pageSize !== 0) {
    throw new LegacySourceError(
      `${file} can't be read: it was cut short, or is no SQLite database: restore it from a copy`,
    );
  }
  const version = Number(database.prepare('pragma user_version').get()?.['user_version']);
  if (version > newestVersion) {
    throw new LegacySourceError(
      `${file} has the schema version ${version}, but only versions up to ${newestVersion} are read: export it with the system that wrote it`,
    );
  }
  const encoding = database.prepare('pragma encoding').get()?.['encoding'];
  if (encoding !== 'UTF-8') {
    throw new LegacySourceError(
      `${file} holds ${String(encoding)}, which the old system never wrote: make a copy in UTF-8 with sqlite3's .dump`,
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
      .prepare('select name, dflt_value from pragma_table_xinfo(?) order by cid')
      .all(String(name))
      .map((column) => ({
        name: String(column['name']),
        filledWithNow: /^(?:datetime\('now'\)|current_timestamp)$/i.test(String(column['dflt_value'])),
      })),
  }));
}

function bytesOf(value: SourceValue): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

function wasMended(value: SourceValue): boolean {
  return typeof value === 'string' && value.includes('\uFFFD');
}

function decoded(bytes: Uint8Array): SourceValue {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new UnreadableText('is no UTF-8');
  }
}
