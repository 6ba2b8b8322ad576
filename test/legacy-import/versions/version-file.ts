import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { LegacyRows } from '../legacy-file.ts';
import { rowsOf } from './rows-of-version.ts';
import { isSince, openAs, shapeOf, versions } from './schema-version.ts';

/**
 * Makes a file as a version of the old system made it, with rows of that version in each of its tables. With `upgradedTo` each later version
 * to that one opened it in turn; if the last one could, it wrote more rows, into each of its tables. `rows` are written in place of
 * the version's.
 */
export function makeVersionFile(
  path: string,
  version: string,
  { upgradedTo, rows }: { upgradedTo?: string | undefined; rows?: LegacyRows } = {},
): string {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    // Version 3 is what the code of version 2 made of a file when it opened it again.
    const first = version === '3' ? '2' : version;
    openAs(database, first);
    insertAll(database, rows ?? rowsOf(first, shapeOf(first), 'a'));
    if (version === '3') openAs(database, '3');
    const last = upgradedTo === undefined ? -1 : versions.indexOf(upgradedTo);
    let started = false;
    for (const later of versions.slice(versions.indexOf(version) + 1, last + 1))
      started = openAs(database, later);
    if (upgradedTo !== undefined && started && !rows && isSince(upgradedTo, '4'))
      insertAll(database, rowsOf(upgradedTo, shapeOf(upgradedTo), 'f'));
  } finally {
    database.close();
  }
  return path;
}

// What references them.
const dependents: Readonly<Record<string, readonly string[]>> = {
  research_executions: ['transcripts', 'prfaq_metadata'],
};

/** Inserts rows. An upgraded file may lack a column of a row, so that the later version could not write it, nor what references it. */
function insertAll(database: DatabaseSync, rows: LegacyRows): void {
  const failed = new Set<string>();
  database.exec('begin; pragma ignore_check_constraints = on');
  for (const [table, all] of Object.entries(rows).toSorted(([one], [other]) => rank(one) - rank(other))) {
    const columns = database.prepare('select name from pragma_table_info(?)').all(table);
    const existing = new Set(columns.map(({ name }) => String(name)));
    if (failed.has(table) || all.some((row) => Object.keys(row).some((name) => !existing.has(name)))) {
      for (const dependent of dependents[table] ?? []) failed.add(dependent);
      continue;
    }
    for (const row of all) {
      const names = Object.keys(row);
      database
        .prepare(`insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`)
        .run(...Object.values(row).map((value): SQLInputValue => value));
    }
  }
  database.exec('commit');
}

function rank(table: string): number {
  return Object.values(dependents).flat().includes(table) ? 1 : 0;
}
