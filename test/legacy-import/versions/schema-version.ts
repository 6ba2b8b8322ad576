import type { DatabaseSync } from 'node:sqlite';
import { parseColumns, sqliteColumn, sqliteTable, type LegacyColumn } from '../legacy-shape.ts';
import { versionFacts } from './facts.ts';

/** The tables of a file. */
export type Shape = ReadonlyMap<string, readonly LegacyColumn[]>;

/** The states of the schema in their order, such as `1`, `1.1`, `2`. */
export const versions: readonly string[] = versionFacts.map(({ version }) => version);

/** Whether a version is another one or came after it. */
export function isSince(version: string, first: string): boolean {
  return indexOf(version) >= indexOf(first);
}

/** The table that a failed upgrade leaves behind. */
const leftover = 'prfaq_metadata_new';

/** Returns the tables of a file that a version makes. */
export function shapeOf(version: string): Shape {
  const tables = new Map<string, LegacyColumn[]>();
  for (const { changes } of versionFacts.slice(0, indexOf(version) + 1)) {
    for (const { table, columns, without = '' } of changes) {
      if (columns === undefined && without === '') {
        tables.delete(table);
        continue;
      }
      const gone = without.split(' ');
      const given = columns === undefined ? [] : parseColumns(columns);
      const kept = (tables.get(table) ?? []).filter(({ name }) => !gone.includes(name));
      const changed = kept.map((column) => given.find(({ name }) => name === column.name) ?? column);
      tables.set(table, [
        ...changed,
        ...given.filter(({ name }) => !kept.some((column) => column.name === name)),
      ]);
    }
  }
  return tables;
}

/**
 * Opens a file as a version of the old system did: creates what the file lacks. Returns whether the system started. Before version 7 an
 * existing table was never altered, apart from `prfaq_metadata`, so that the versions 1 to 6 can't be opened by a later one.
 */
export function openAs(database: DatabaseSync, version: string): boolean {
  const facts = versionFacts[indexOf(version)];
  const existing = columnsOf(database);
  // These two altered tables by the number in `schema_migrations`, and created none.
  if (version === '2' || version === '3') {
    if (existing.has('schema_migrations')) return upgradeDocuments(database);
  }
  for (const [table, columns] of creationOrder(version)) {
    if (!existing.has(table)) database.exec(`create table ${sqliteTable(table, columns)}`);
    const stop = facts?.stops?.find(([name]) => name === table);
    if (stop && !columnsOf(database).get(table)?.has(stop[1])) return false;
  }
  for (const { adds = {} } of versionFacts.slice(0, indexOf(version) + 1)) {
    for (const [table, columns] of Object.entries(adds)) {
      const names = columnsOf(database).get(table);
      if (!names || table === 'prfaq_metadata') continue;
      for (const column of parseColumns(columns))
        if (!names.has(column.name)) database.exec(`alter table ${table} add column ${sqliteColumn(column)}`);
    }
  }
  if (isSince(version, '7'))
    database.exec(
      `insert or ignore into synth_groups values ('grp_00000001', 'Default', 'For synths without a group', datetime('now'))`,
    );
  return true;
}

function upgradeDocuments(database: DatabaseSync): true {
  const names = columnsOf(database).get('prfaq_metadata');
  const added = parseColumns(versionFacts[indexOf('2')]?.adds?.['prfaq_metadata'] ?? '');
  for (const column of added)
    if (!names?.has(column.name))
      database.exec(`alter table prfaq_metadata add column ${sqliteColumn(column)}`);
  const all = shapeOf('3').get('prfaq_metadata') ?? [];
  const record = (version: number): void =>
    database.exec(`insert or ignore into schema_migrations values (${version}, datetime('now'), null)`);
  record(2);
  if (columnsOf(database).has(leftover)) return true;
  // Copies the table for a `generated_at` that may be NULL; fails at a file of version 1, whose documents are paths, and leaves the copy.
  database.exec(`create table ${sqliteTable(leftover, all)}`);
  if (!names?.has('markdown_content')) return true;
  const list = all.map(({ name }) => name).join(', ');
  database.exec(`insert into ${leftover} (${list}) select ${list} from prfaq_metadata; drop table prfaq_metadata;
    alter table ${leftover} rename to prfaq_metadata`);
  record(3);
  return true;
}

/** The tables in the order in which opening creates them, as far as it matters: which ones come before a stop. */
function creationOrder(version: string): (readonly [string, readonly LegacyColumn[]])[] {
  const stop = versionFacts[indexOf(version)]?.stops?.[0]?.[0];
  const before = version === '6' ? ['experiments', 'synth_groups'] : ['experiments', 'analysis_runs'];
  const rank = ([name]: readonly [string, unknown]): number =>
    before.includes(name) ? 0 : name === stop ? 1 : 2;
  return [...shapeOf(version)].toSorted((one, other) => rank(one) - rank(other));
}

function columnsOf(database: DatabaseSync): Map<string, ReadonlySet<string>> {
  const tables = database.prepare(`select name from sqlite_schema where type = 'table'`).all();
  return new Map(
    tables.map(({ name }) => [
      String(name),
      new Set(
        database
          .prepare('select name from pragma_table_info(?)')
          .all(String(name))
          .map((column) => String(column['name'])),
      ),
    ]),
  );
}

function indexOf(version: string): number {
  const index = versions.indexOf(version);
  if (index < 0) throw new Error(`there is no version ${version}`);
  return index;
}
