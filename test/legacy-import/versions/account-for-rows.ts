import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { expect } from 'vitest';
import type { ImportFinding } from '../../../src/legacy-import/conversion/import-finding.ts';
import type { ImportResult } from '../../../src/legacy-import/import-legacy.ts';
import type { SkippedRow } from '../../../src/legacy-import/skipped-rows.ts';
import type { TestDatabase } from '../../../src/testing/index.ts';
import { differences } from '../compare-with-postgres.ts';
import { formatValue, type LegacyRow } from '../legacy-file.ts';
import { legacyTables } from '../legacy-shape.ts';
import { bookkeeping, columnsOf, completed, fits, readRows, sections, type Row } from './read-file.ts';
import { expectedDocuments, laterDocuments } from './expected-documents.ts';

/** What an import of a file reported. */
export interface Account {
  readonly result: ImportResult;
  readonly findings: readonly ImportFinding[];
  readonly skipped: readonly SkippedRow[];
}

// By what a row is found again: those without a key get one.
const found: Readonly<Record<string, readonly string[]>> = {
  transcripts: ['exec_id', 'synth_id'],
  synth_outcomes: ['analysis_id', 'synth_id'],
};

/**
 * Fails unless each row, value and document of a file is in the database, or was reported: rejected with a reason, or left behind and
 * exported with all of its values. Uses nothing of the import for it. Returns how many rows and documents there are.
 */
export async function accountForRows(
  file: DatabaseSync,
  database: TestDatabase,
  account: Account,
  zone: string,
): Promise<{ rows: number; written: number; rejected: number; left: number; documents: number }> {
  const seen = { rows: 0, written: 0, rejected: 0, left: 0, documents: 0 };
  const documents = expectedDocuments(file);
  const tables = new Map(columnsOf(file));
  for (const [table, columns] of tables) {
    if (bookkeeping.includes(table)) continue;
    const rows = readRows(file, table);
    seen.rows += rows.length;
    const known = (legacyTables[table] ?? []).map(({ name }) => name);
    const later = table === 'experiment_documents' ? laterDocuments(file) : [];
    const behind = new Set(later.filter(({ type }) => type === null).map(({ id }) => id));
    const moved = documents.filter(({ from }) => from === table);
    if (!fits(table, columns)) {
      const expected = rows.filter((row) => !moved.some(({ execution }) => execution === row['exec_id']));
      expectLeft(account, table, expected);
      seen.left += expected.length;
      continue;
    }
    const isPart = (column: string): boolean =>
      known.includes(column) ||
      (table === 'synths' && sections.includes(column) && !columns.includes('data'));
    for (const column of columns.filter((name) => !isPart(name) && name !== 'source_id')) {
      const parts = documents.filter(({ from }) => from === `${table}.${column}`);
      const expected = rows.filter(
        (row) => row[column] !== null && !parts.some(({ execution }) => execution === row['exec_id']),
      );
      expectLeft(account, `${table}.${column}`, expected.map(pick(known[0] ?? '', column)));
    }
    if (columns.includes('source_id') || behind.size > 0) {
      const named = rows.filter((row) => (row['source_id'] ?? null) !== null || behind.has(row['id']));
      const source = pick('id', 'source_id');
      expectLeft(
        account,
        `${table}.source_id`,
        named.map((row) => (behind.has(row['id']) ? row : source(row))),
      );
    }
    const own = rows.filter((row) => !behind.has(row['id']));
    const stored = own.map((row) => {
      const type = later.find(({ id }) => id === row['id'])?.type;
      return { ...completed(file, table, row), ...(type && { document_type: type }) };
    });
    const rejected = await expectStored(database, account, { table, rows: stored, zone });
    seen.rejected += rejected;
    seen.written += own.length - rejected;
    seen.left += behind.size;
  }
  seen.documents = documents.length;
  await expectDocuments(database, documents, zone);
  expectAbsent(account.result, tables);
  return seen;
}

function pick(...names: readonly string[]): (row: Row) => Row {
  return (row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
}

function expectLeft({ result, skipped }: Account, name: string, rows: readonly Row[]): void {
  expect({ name, rows: result.unknown.find((part) => part.name === name)?.rows }).toEqual({
    name,
    rows: rows.length,
  });
  const [table, column] = name.split('.');
  // A document that stays behind does so as a whole, also where it has no `source_id`.
  const kept = skipped.filter(
    (one) =>
      one.rejected === undefined &&
      one.table === table &&
      (column === undefined || column === 'source_id' || column in one.row),
  );
  expect(kept.map(({ row }) => comparable(row)).toSorted()).toEqual(rows.map(comparable).toSorted());
}

/** Returns a row as text. PostgreSQL gives all values as texts, and the members of a document in another order. */
function comparable(row: Readonly<Record<string, SQLInputValue>>): string {
  const ordered = (value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value)
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([name, member]) => [name, ordered(member)])
      : value;
  const values = Object.entries(row).map(([name, value]) => {
    const text = formatValue(value);
    if (text === null) return [name, null];
    return [name, /^[{[]/.test(text) ? ordered(JSON.parse(text)) : text];
  });
  return JSON.stringify(values);
}

async function expectStored(
  database: TestDatabase,
  { result, findings, skipped }: Account,
  { table, rows, zone }: { table: string; rows: readonly LegacyRow[]; zone: string },
): Promise<number> {
  const reported = findings.filter((finding) => finding.table === table && finding.outcome === 'rejected');
  for (const { reason } of reported) expect(reason).not.toBe('');
  const counted = result.tables.find((one) => one.table === table);
  const extra = table === 'experiment_documents' ? (counted?.generatedKeys ?? 0) : 0;
  const keys = found[table] ?? [];
  // Rows are rejected only for what they lack.
  const kept = rows.filter((row) => table !== 'transcripts' || row['synth_name'] !== null);
  expect({ table, rows: counted?.rows, rejected: counted?.rejected, written: counted?.written }).toEqual({
    table,
    rows: rows.length + extra,
    rejected: rows.length - kept.length,
    written: kept.length + extra,
  });
  expect({ table, rejected: reported.length }).toEqual({ table, rejected: rows.length - kept.length });
  const exported = skipped.filter((one) => one.table === table && one.rejected !== undefined);
  const names = (legacyTables[table] ?? []).map(({ name }) => name);
  const lost = rows.filter((row) => !kept.includes(row));
  // With the columns of the newest version, those that the source lacks as NULL.
  const whole = (row: LegacyRow): LegacyRow =>
    Object.fromEntries(names.toSorted().map((name) => [name, row[name] ?? null]));
  expect(exported.map(({ row }) => comparable(whole(row)))).toEqual(
    lost.map((row) => comparable(whole(row))),
  );
  expect(exported.map(({ rejected }) => rejected)).toEqual(
    reported.map(({ column, reason }) => `${column}: ${reason}`),
  );
  const key = legacyTables[table]?.[0]?.name ?? '';
  // Those without a key get one.
  for (const same of Object.values(Object.groupBy(kept, (row) => String(row[key] === null))))
    expect({
      table,
      differences: await differences(
        database,
        table,
        (same ?? []).map((row) => (row[key] === null ? without(row, key) : row)),
        zone,
        keys.length > 0 ? keys : undefined,
      ),
    }).toEqual({ table, differences: [] });
  expect({ table, matched: await countMatched(database, table, kept, keys) }).toEqual({
    table,
    matched: kept.length,
  });
  return rows.length - kept.length;
}

function without(row: LegacyRow, name: string): LegacyRow {
  return Object.fromEntries(Object.entries(row).filter(([column]) => column !== name));
}

/** Returns how many of the rows are in the database, by their keys. */
async function countMatched(
  database: TestDatabase,
  table: string,
  rows: readonly LegacyRow[],
  by: readonly string[],
): Promise<number> {
  const key = legacyTables[table]?.[0]?.name ?? '';
  const names = by.length > 0 ? by : table === 'analysis_cache' ? ['analysis_id', 'cache_key'] : [key];
  const given = JSON.stringify(rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]]))));
  const [counted]: { count?: number }[] = await database.orm.em.execute(
    `select count(*)::int as count from ${table} t join jsonb_to_recordset(?::jsonb) s (${names.map((name) => `${name} text`).join(', ')})
       on ${names.map((name) => `t.${name} = s.${name}`).join(' and ')}`,
    [given],
  );
  return counted?.count ?? -1;
}

async function expectDocuments(
  database: TestDatabase,
  documents: ReturnType<typeof expectedDocuments>,
  zone: string,
): Promise<void> {
  const stored: unknown[] = [];
  for (const { document } of documents) {
    stored.push(
      ...(await database.orm.em.execute(
        `select experiment_id as experiment, document_type as type, markdown_content as text, model, metadata,
           to_char(generated_at at time zone '${zone}', 'YYYY-MM-DD"T"HH24:MI:SS.US') as time
         from experiment_documents where experiment_id = ? and document_type = ?`,
        [document.experiment, document.type],
      )),
    );
  }
  expect(stored).toEqual(documents.map(({ document }) => document));
}

function expectAbsent({ absent }: ImportResult, tables: ReadonlyMap<string, readonly string[]>): void {
  const expected = Object.entries(legacyTables).flatMap(([table, all]) => {
    const columns = tables.get(table);
    if (!columns || !fits(table, columns)) return [table];
    const derived = new Set([
      ...(columns.includes('demografia') ? ['data'] : []),
      ...(table === 'transcripts' ? ['synth_name'] : []),
    ]);
    return all
      .map(({ name }) => name)
      .filter((name) => !columns.includes(name) && !derived.has(name))
      .map((name) => `${table}.${name}`);
  });
  expect(absent.toSorted()).toEqual(expected.toSorted());
}
