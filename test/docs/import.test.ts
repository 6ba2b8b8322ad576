import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import { importLegacy } from '../../src/legacy-import/import-legacy.ts';
import { SqliteSource } from '../../src/legacy-import/source/sqlite-source.ts';
import { columnsOf } from '../legacy-import/versions/read-file.ts';
import { versions } from '../legacy-import/versions/schema-version.ts';
import { leftBehind, listed, tableOfGuide } from '../legacy-import/versions/table-of-states.ts';
import { makeVersionFile } from '../legacy-import/versions/version-file.ts';

let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'synthdb-guide-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const rows = tableOfGuide('What comes in from a SQLite file');

/** Returns what the guide must say of the file that a version made, after that of the version before. */
async function describe(
  path: string,
  before: ReadonlySet<string>,
): Promise<{ cells: string[]; tables: Set<string> }> {
  await using source = await SqliteSource.open(path);
  const result = await importLegacy(source, null, { zone: new SourceTimeZone('UTC') });
  const documents = result.tables.find(({ table }) => table === 'experiment_documents')?.generatedKeys ?? 0;
  const tables = new Set(result.tables.filter((table) => table.rows > 0).map(({ table }) => table));
  const added = [...tables].filter((name) => !before.has(name) && name !== 'experiment_documents');
  const own = documents === 0 && tables.has('experiment_documents') ? ['experiment_documents'] : [];
  const columns = result.absent.filter(
    (name) => tables.has(name.split('.', 1)[0] ?? '') && name.includes('.'),
  );
  return {
    cells: [
      listed([...added, ...own].toSorted()),
      listed(columns.toSorted()),
      documents === 0 ? '–' : 'PR-FAQs, summaries',
      listed(leftBehind(result).toSorted()),
    ],
    tables,
  };
}

test('says for each schema version what comes in, what is absent, becomes a document and is left behind', async () => {
  const expected: string[][] = [];
  let before: ReadonlySet<string> = new Set();
  for (const version of versions) {
    const { cells, tables } = await describe(
      makeVersionFile(join(directory, `${version}.db`), version),
      before,
    );
    expected.push([version, ...cells]);
    before = tables;
  }

  expect(rows.map(([version, , ...cells]) => [version, ...cells])).toEqual(expected);
});

test('says by which mark a file of a version is known', () => {
  const marks = rows.map(([version = '', mark = '']) => ({ version, mark }));

  for (const version of versions) {
    const path = makeVersionFile(join(directory, `known-${version}.db`), version);
    const given = new DatabaseSync(path, { readOnly: true });
    const parts = new Set(
      columnsOf(given).flatMap(([table, columns]) => [table, ...columns.map((name) => `${table}.${name}`)]),
    );
    const recorded = parts.has('schema_migrations')
      ? Number(given.prepare('select max(version) v from schema_migrations').get()?.['v'])
      : null;
    given.close();
    const holds = (mark: string): boolean => {
      const [, number] = /^`(\d)` is the highest/.exec(mark) ?? [];
      if (number !== undefined) return recorded === Number(number);
      return mark
        .split(', ')
        .every((part) => parts.has(part.replace(/^no /, '').slice(1, -1)) !== part.startsWith('no '));
    };
    // The last one that holds.
    expect(marks.findLast(({ mark }) => holds(mark))?.version).toBe(version);
  }
});
