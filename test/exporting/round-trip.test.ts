import { mkdtemp, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvOptionsOf } from '../../src/cli/rows/file-options.ts';
import { readFileRows } from '../../src/cli/rows/read-file-rows.ts';
import { withSource } from '../../src/cli/rows/source.ts';
import { exportFormats, exportTables } from '../../src/exporting/index.ts';
import { loadRows } from '../../src/loading/index.ts';
import { describeTarget, type LoadColumn } from '../../src/loading/load/load-target.ts';
import { textOfMicroseconds } from '../../src/wire/instant.ts';
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
      await withSource(join(directory, `${name}.${format}`), undefined, (source) => {
        const options = { csv, encoding: undefined, onRead: () => {} };
        const rows = readFileRows(source, describeTarget(em, meta).columns, options);
        return loadRows(to, { entity: meta.class, mode: 'append', rows });
      });
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

  test('loads back equal with any values', async () => {
    const { em } = from.orm;
    for (const seed of [1, 2, 3]) {
      await replaceValues(em, seed);
      await using to = await TestDatabase.create();

      await loadAll(to, await exportAll());

      expect(await readRows(to.orm.em)).toEqual(await readRows(em));
    }
  });
});

const anyOf: Readonly<Record<string, fc.Arbitrary<string>>> = {
  text: fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\0')),
  integer: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(String),
  'double precision': fc
    .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(String),
  // PostgreSQL's whole range but the years that Parquet can't hold.
  timestamptz: fc
    .bigInt({ min: -210_800_000_000_000_000n, max: 9_223_300_000_000_000_000n })
    .map((microseconds) => textOfMicroseconds(microseconds)),
};

/** Gives columns that are no keys, and hold no documents, values of their types. What a constraint refuses stays. */
async function replaceValues(em: EntityManager, seed: number): Promise<void> {
  for (const meta of em.getMetadata().getAll().values()) {
    const target = describeTarget(em, meta);
    const fixed = new Set(meta.relations.flatMap(({ fieldNames }) => fieldNames));
    for (const { name, type } of target.columns) {
      const values = anyOf[type];
      if (!values || fixed.has(name) || target.primaryKey.some((key) => key.name === name)) continue;
      await em.execute(
        `do $do$
        declare place tid; value text;
        begin
          for place in select ctid from "${meta.tableName}" loop
            foreach value in array (select array(select unnest(v) order by random()) from (select ${literals(fc.sample(values, { seed, numRuns: 20 }))} as v) x) loop
              begin
                update "${meta.tableName}" set "${name}" = value::${type} where ctid = place;
                exit;
              exception when integrity_constraint_violation or data_exception then null;
              end;
            end loop;
          end loop;
        end $do$`,
      );
    }
  }
}

function literals(values: readonly string[]): string {
  return `array[${values.map((value) => `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`).join(', ')}]`;
}
