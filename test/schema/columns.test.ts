import { JsonType, ReferenceKind, type EntityProperty } from '@mikro-orm/core';
import { afterAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { readColumns } from './catalog.ts';
import { insertBareRows, insertFullRows } from './rows.ts';
import { tables } from './tables.ts';

const db = await TestDatabase.create();
afterAll(() => db.drop());
await insertBareRows(db.orm.em);

const columns = await readColumns(db.orm.em);

describe('tables and columns', () => {
  test('every table has a row', async () => {
    const counts = await db.orm.em.execute<{ rows: string }[]>(
      tables.map(({ tableName }) => `select count(*)::int as rows from "${tableName}"`).join(' union all '),
    );

    expect(counts.filter(({ rows }) => Number(rows) === 0)).toEqual([]);
    expect(new Set(columns.map(({ table }) => table))).toEqual(
      new Set(tables.map(({ tableName }) => tableName)),
    );
  });

  test.each(columns.filter(({ required }) => required))(
    '$table, column $name, refuses NULL',
    ({ table, name }) =>
      db.rollback(async ({ em }) => {
        await expect(em.execute(`update "${table}" set "${name}" = null`)).rejects.toMatchObject({
          cause: { code: '23502' },
          column: name,
        });
      }),
  );

  test.each(columns.filter((column) => column.default !== null))(
    '$table, column $name, is filled in by the server',
    ({ table, name, type, default: value }) =>
      db.rollback(async ({ em }) => {
        const rows = await em.execute<{ filled: boolean }[]>(
          value === 'now()'
            ? `select distinct "${name}" between now() - interval '5 minutes' and now() as filled from "${table}"`
            : `select distinct "${name}" = ${value}::${type} as filled from "${table}"`,
        );

        expect(rows).toEqual([{ filled: true }]);
      }),
  );

  test.each(columns.filter(({ type }) => type === 'timestamp(6) with time zone'))(
    '$table, column $name, keeps microseconds and the instant',
    ({ table, name }) =>
      db.rollback(async ({ em }) => {
        await em.execute(`update "${table}" set "${name}" = '2026-03-04 05:06:07.890123-03'`);

        const rows = await em.execute(
          `select distinct to_char("${name}" at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as kept from "${table}"`,
        );
        expect(rows).toEqual([{ kept: '2026-03-04 08:06:07.890123' }]);
      }),
  );
});

describe('a row at the edge of what its columns hold', () => {
  test.each(tables)(
    'of $tableName is written as it was read',
    ({ class: entity, tableName, props, primaryKeys }) =>
      db.rollback(async ({ em }) => {
        await em.execute(`truncate ${tables.map((meta) => `"${meta.tableName}"`).join(', ')}`);
        await insertFullRows(em);
        const written = props.filter((prop) => prop.kind === ReferenceKind.SCALAR && !isKept(prop));
        const shown = written.flatMap(({ fieldNames, columnTypes }) =>
          fieldNames.map((name) =>
            // A `Date` holds milliseconds.
            columnTypes[0]?.startsWith('timestamp') ? `date_trunc('milliseconds', "${name}")` : `"${name}"`,
          ),
        );
        const stored = () =>
          em.execute<object[]>(`select row(${shown.join(', ')})::text from "${tableName}" order by 1`);
        const before = await stored();

        const rows = await em.find(entity, {});
        for (const row of rows) {
          const values = (names: readonly string[]) =>
            Object.fromEntries(names.map((name) => [name, Reflect.get(row, name)]));
          await em.nativeUpdate(entity, values(primaryKeys), values(written.map(({ name }) => name)));
        }

        expect(rows.length).toBeGreaterThanOrEqual(3);
        expect(await stored()).toEqual(before);
      }),
  );
});

/** Whether the database or the ORM sets it, or it is a document: those have tests of their own. */
function isKept({ customType, version, onUpdate }: EntityProperty): boolean {
  return Boolean(version ?? onUpdate) || customType instanceof JsonType;
}
