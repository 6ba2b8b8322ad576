import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import type { ImportFinding } from '../../src/legacy-import/conversion/import-finding.ts';
import { importLegacy, type ImportResult } from '../../src/legacy-import/import-legacy.ts';
import { SqliteSource } from '../../src/legacy-import/source/sqlite-source.ts';
import type { TableResult } from '../../src/legacy-import/table-result.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { differences } from './compare-with-postgres.ts';
import { formatValue, type LegacyRow } from './legacy-file.ts';
import { legacyTables } from './legacy-shape.ts';
import { someLegacy } from './some-legacy.ts';
import { expectedDocuments } from './versions/expected-documents.ts';
import { bookkeeping, columnsOf, completed, fits } from './versions/read-file.ts';
import { asRowsOf, someVersion } from './versions/some-version.ts';
import { makeVersionFile } from './versions/version-file.ts';

const files = Number(process.env['LEGACY_FILES'] ?? 25);
const zone = 'Asia/Kolkata';

let database: TestDatabase;
let directory: string;
beforeAll(async () => {
  database = await TestDatabase.create();
  directory = mkdtempSync(join(tmpdir(), 'synthdb-legacy-'));
});
afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true });
});

const options = fc.record({
  replaceInvalidJson: fc.boolean(),
  nullDangling: fc.boolean(),
  strict: fc.boolean(),
  zone: fc.option(fc.constant(new SourceTimeZone(zone)), { nil: undefined, freq: 12 }),
});

test(
  `every row of an arbitrary legacy file of any version is accounted for (${files} files)`,
  { timeout: 30_000 + files * 2_000 },
  async () => {
    const seen = { rows: 0, written: 0, rejected: 0, left: 0, documents: 0, imports: 0, succeeded: 0 };
    const made = new Set<string>();
    await fc.assert(
      fc.asyncProperty(someLegacy, someVersion, options, fc.nat(16), async (rows, from, given, last) => {
        const file = join(directory, 'legacy.db');
        rmSync(file, { force: true });
        const { version, upgradedTo } = from;
        makeVersionFile(file, version, { upgradedTo, rows: asRowsOf(version, rows) });
        made.add(version);
        await database.orm.em.execute(`truncate ${Object.keys(legacyTables).join(', ')} cascade`);
        const findings: ImportFinding[] = [];
        await using source = await SqliteSource.open(file);

        const { unknown } = await importLegacy(source, null, given);
        const skip = unknown.filter(({ rows: count }) => count > 0).map(({ name }) => name);
        let exported = 0;
        const result = await importLegacy(
          source,
          database,
          { ...given, skip },
          { onFinding: (finding) => findings.push(finding), onSkipped: () => exported++ },
        );

        const left = result.unknown.reduce((sum, part) => sum + part.rows, 0);
        const rejected = result.tables.reduce((sum, table) => sum + table.rejected, 0);
        expect(exported).toBe(left + rejected);
        seen.left += left;
        seen.documents += await expectEveryRowAccountedFor(file, result, findings);
        await expectStoredEqualsSource(file, findings);
        const again = await importLegacy(source, database, { ...given, skip });
        expect(again.tables.map(({ written }) => written)).toEqual(again.tables.map(() => 0));
        expect(again.tables.map(({ found }) => found)).toEqual(result.tables.map(({ written }) => written));
        await deleteAfter(result, last);
        const resumed = await importLegacy(source, database, { ...given, skip });
        expect(resumed.tables.map(withStored)).toEqual(result.tables.map(withStored));
        expect(resumed.failures).toEqual(result.failures);
        seen.imports++;
        if (result.failures.length === 0) seen.succeeded++;
        for (const table of result.tables) {
          seen.rows += table.rows;
          seen.written += table.written;
          seen.rejected += table.rejected;
        }
      }),
      { numRuns: files },
    );
    if (process.env['LEGACY_FILES']) console.log({ ...seen, versions: made.size });
    // Otherwise the generated files would be all valid, or all invalid.
    expect(seen.written).toBeGreaterThan(0);
    expect(seen.rejected).toBeGreaterThan(0);
  },
);

/** Deletes rows so that those of a killed import remain: whole tables, and every other row of the last one. */
async function deleteAfter({ tables }: ImportResult, last: number): Promise<void> {
  const [begun, ...later] = tables.slice(last).map(({ table }) => table);
  if (later.length > 0) await database.orm.em.execute(`truncate ${later.join(', ')}`);
  // Deleting nodes of a tree would change their children.
  if (begun !== undefined && begun !== 'scenario_nodes')
    await database.orm.em.execute(
      `delete from ${begun} t using (select ctid as place, row_number() over () as number from ${begun}) s
       where t.ctid = s.place and s.number % 2 = 0`,
    );
}

/** Returns a result that is equal whether this run or an earlier one wrote the rows. */
function withStored({ written, found, ...rest }: TableResult): object {
  return { ...rest, stored: written + found };
}

async function expectEveryRowAccountedFor(
  file: string,
  { tables, unknown, failures }: ImportResult,
  findings: readonly ImportFinding[],
): Promise<number> {
  const legacy = new DatabaseSync(file, { readOnly: true });
  const documents = expectedDocuments(legacy);
  const existing = new Map(columnsOf(legacy));
  let rejected = 0;
  for (const { table, rows, written, rejected: refused, sourceDigest, target } of tables) {
    const [{ count = -1 } = {}]: { count?: number }[] = await database.orm.em.execute(
      `select count(*)::int as count from ${table}`,
    );
    const columns = existing.get(table);
    const more = table === 'experiment_documents' ? documents.length : 0;
    expect({ table, rows }).toEqual({
      table,
      rows: columns && fits(table, columns) ? countOf(legacy, table) + more : more,
    });
    expect({ table, rows: written + refused }).toEqual({ table, rows });
    expect({ table, count }).toEqual({ table, count: written });
    expect(target).toEqual({ count, digest: sourceDigest });
    const named = findings
      .filter((finding) => finding.table === table && finding.outcome === 'rejected')
      .map(({ key }) => key);
    expect({ table, named: new Set(named).size }).toEqual({ table, named: refused });
    rejected += refused;
  }
  for (const [table, columns] of existing) {
    if (bookkeeping.includes(table) || fits(table, columns)) continue;
    const moved = documents.filter(({ from }) => from === table).length;
    expect(unknown).toContainEqual(
      expect.objectContaining({ name: table, rows: countOf(legacy, table) - moved }),
    );
  }
  legacy.close();
  expect(failures.length === 0).toBe(rejected === 0);
  return documents.length;
}

function countOf(legacy: DatabaseSync, table: string): number {
  return Number(legacy.prepare(`select count(*) n from ${table}`).get()?.['n']);
}

async function expectStoredEqualsSource(file: string, findings: readonly ImportFinding[]): Promise<void> {
  const legacy = new DatabaseSync(file, { readOnly: true });
  for (const [table, columns] of columnsOf(legacy)) {
    if (!fits(table, columns)) continue;
    const changed = new Set(
      findings
        .filter(
          (one) => one.table === table && one.outcome !== 'out_of_shape' && one.outcome !== 'repeated_key',
        )
        .map(({ key }) => key),
    );
    const names =
      table === 'analysis_cache' ? ['analysis_id', 'cache_key'] : [legacyTables[table]?.[0]?.name ?? ''];
    const kept = readExact(legacy, table).filter(
      (row) => !changed.has(keyOf(row, names)) && row[names[0] ?? ''] !== null,
    );
    expect({ table, differences: await differences(database, table, kept, zone) }).toEqual({
      table,
      differences: [],
    });
  }
  legacy.close();
}

/** Returns the key of a row in findings: those of numbered rows are their numbers. */
function keyOf(row: LegacyRow, names: readonly string[]): string {
  const key = names.map((name) => formatValue(row[name])).join(', ');
  return typeof row[names[0] ?? ''] === 'bigint' ? `(row ${key})` : key;
}

function readExact(legacy: DatabaseSync, table: string): LegacyRow[] {
  const statement = legacy.prepare(`select * from ${table}`);
  statement.setReadBigInts(true);
  return statement.all().map((row) => completed(legacy, table, { ...row }));
}
