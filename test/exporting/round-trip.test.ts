import { mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvOptionsOf } from '../../src/cli/rows/file-options.ts';
import { readRows as readFileRows } from '../../src/cli/rows/read-rows.ts';
import { withSource } from '../../src/cli/rows/source.ts';
import { exportFormats, exportTables } from '../../src/exporting/index.ts';
import { loadRows } from '../../src/loading/index.ts';
import { describeTarget, type LoadColumn } from '../../src/loading/load/load-target.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { documents } from '../entities/documents.ts';
import { readRows } from '../schema/contents.ts';
import { insertBareRows, insertFullRows } from '../schema/rows.ts';

// Members that no shape knows.
const more = String.raw`"more": {"digits": 12345678901234567890.10, "": null, "text": "\u0001 \n\\ , \" 😀", "zero": -0}}`;

/** Gives each column with documents some of its shape. */
async function replaceDocuments(em: EntityManager): Promise<void> {
  for (const meta of em.getMetadata().getAll().values()) {
    for (const { name, type, validate } of describeTarget(em, meta).columns) {
      if (type !== 'jsonb') continue;
      const document = Object.values(documents).find((one) => isValid(one, validate));
      const text = JSON.stringify(document);
      const full = Array.isArray(document) ? text : `${text.slice(0, -1)}, ${more}`;
      await em.execute(`update "${meta.tableName}" set "${name}" = ?::jsonb where "${name}" is not null`, [
        full,
      ]);
    }
  }
}

function isValid(document: unknown, validate: LoadColumn['validate']): boolean {
  try {
    validate?.(document);
    return true;
  } catch {
    return false;
  }
}

describe.each(exportFormats)('what is exported as %s', (format) => {
  let from: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'export-'));
    from = await TestDatabase.create();
    await insertBareRows(from.orm.em);
    await insertFullRows(from.orm.em);
    await replaceDocuments(from.orm.em);
  });
  afterAll(async () => {
    await from.drop();
    await rm(directory, { recursive: true, force: true });
  });

  async function exportAll(): Promise<string[]> {
    const counts = await exportTables(from, { format }, ({ name, bytes }) =>
      pipeline(bytes, createWriteStream(join(directory, `${name}.${format}`))),
    );
    return counts.map(({ entity }) => entity);
  }

  async function loadAll(to: TestDatabase, names: readonly string[]): Promise<void> {
    const csv = csvOptionsOf({ headerLine: 1 }, format);
    const { em } = to.orm;
    for (const name of names) {
      const meta = em.getMetadata().getByClassName(name);
      await withSource(join(directory, `${name}.${format}`), undefined, (source) =>
        loadRows(to, {
          entity: meta.class as never,
          mode: 'append',
          rows: readFileRows(source, describeTarget(em, meta).columns, {
            csv,
            encoding: undefined,
            onRead: () => {},
          }) as never,
        }),
      );
    }
  }

  test('loads back equal, from every table, at the edge of what its columns hold', async () => {
    await using to = await TestDatabase.create();
    const { em } = from.orm;
    const before = await readRows(em);
    expect(Object.values(before).filter((rows) => rows.length < 2)).toEqual([]);

    await loadAll(to, await exportAll());

    expect(await readRows(to.orm.em)).toEqual(before);
  });
});
