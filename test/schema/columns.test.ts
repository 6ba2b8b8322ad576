import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { logTable } from './contents.ts';
import { dictionary, type Column } from './dictionary.ts';
import { insertBareRows } from './rows.ts';

const everyColumn = Object.entries(dictionary).flatMap(([table, columns]) =>
  columns.map((column) => ({ table, ...column })),
);

describe('tables and columns', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await insertBareRows(db.orm.em);
  });
  afterAll(() => db.drop());

  test('there are exactly the tables of the dictionary', async () => {
    const rows = await db.orm.em.execute<{ name: string }[]>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')`,
    );

    const names = rows.map(({ name }) => name).filter((name) => name !== logTable);
    expect(names.toSorted()).toEqual(Object.keys(dictionary).toSorted());
  });

  test.each(Object.entries(dictionary))(
    '%s has the columns that it should, in order',
    async (table, columns) => {
      const rows = await db.orm.em.execute<Column[]>(
        `select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required,
         regexp_replace(pg_get_expr(adbin, adrelid), '::text$', '') as default
       from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
       where attrelid = ?::regclass and attnum > 0 and not attisdropped order by attnum`,
        [table],
      );

      expect(rows).toEqual(columns);
    },
  );

  test.each(everyColumn.filter((column) => column.required))(
    '$table, column $name, refuses NULL',
    ({ table, name }) =>
      db.rollback(async ({ em }) => {
        await expect(em.execute(`update ${table} set "${name}" = null`)).rejects.toMatchObject({
          cause: { code: '23502' },
          column: name,
        });
      }),
  );

  test.each(everyColumn.filter((column) => column.default !== null))(
    '$table, column $name, is filled in by the server',
    ({ table, name, type, default: value }) =>
      db.rollback(async ({ em }) => {
        const rows = await em.execute<{ filled: boolean }[]>(
          value === 'now()'
            ? `select "${name}" between now() - interval '5 minutes' and now() as filled from ${table}`
            : `select "${name}" = ${value}::${type} as filled from ${table}`,
        );

        expect(rows).toEqual([{ filled: true }]);
      }),
  );

  test.each(everyColumn.filter((column) => column.type === 'timestamp(6) with time zone'))(
    '$table, column $name, keeps microseconds and the instant',
    ({ table, name }) =>
      db.rollback(async ({ em }) => {
        await em.execute(`update ${table} set "${name}" = '2026-03-04 05:06:07.890123-03'`);

        const rows = await em.execute(
          `select to_char("${name}" at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as kept from ${table}`,
        );
        expect(rows).toEqual([{ kept: '2026-03-04 08:06:07.890123' }]);
      }),
  );
});
