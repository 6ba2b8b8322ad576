import { readFile } from 'node:fs/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, describe, expect, test } from 'vitest';
import { checksumsIn, recordOptional, schemaFile, schemaText } from '../../docs/generate-schema.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { readChecks, readForeignKeys, readUniqueIndexes, type ForeignKey } from './catalog.ts';
import { insertBareRows, insertFullRows } from './rows.ts';

const db = await TestDatabase.create();
afterAll(() => db.drop());

const foreignKeys = await readForeignKeys(db.orm.em);
const uniqueIndexes = await readUniqueIndexes(db.orm.em);

test('docs/schema.sql is the schema as PostgreSQL prints it', async () => {
  const committed = await readFile(schemaFile, 'utf8');
  await recordOptional(db.orm);

  expect(await schemaText(db.orm.em.fork()), 'it is stale: run `make schema` and review the diff').toBe(
    committed,
  );
  expect(checksumsIn(committed).size).toBeGreaterThan(6);
});

describe('names of constraints', () => {
  test('of foreign keys consist of table and column', () => {
    expect(foreignKeys.map(({ name }) => name)).toEqual(
      foreignKeys.map(({ table, column }) => `fk_${table}_${column}`),
    );
  });

  test('of CHECKs and unique constraints start with what they are and the table', async () => {
    const misnamed = [
      ...(await readChecks(db.orm.em)).filter(({ name, table }) => !name.startsWith(`chk_${table}_`)),
      ...uniqueIndexes.filter(({ name, table }) => name !== `${table}_pkey` && !/^uq_\w+$/.test(name)),
    ];

    expect(misnamed).toEqual([]);
  });

  test('of other indexes start with idx_', async () => {
    const rows = await db.orm.em.execute<{ name: string }[]>(
      `select index.relname as name from pg_index join pg_class index on index.oid = indexrelid
       where not indisunique and index.relnamespace = 'public'::regnamespace`,
    );

    expect(rows.filter(({ name }) => !name.startsWith('idx_'))).toEqual([]);
  });
});

describe('a duplicate', () => {
  test.each(uniqueIndexes)('is refused by $name', ({ name, table, where }) =>
    db.rollback(async ({ em }) => {
      await insertBareRows(em);
      // Each alone, or a copy of a row could be refused by another.
      for (const other of uniqueIndexes.filter((one) => one.table === table && one.name !== name)) {
        await em.execute(
          other.constraint
            ? `alter table "${table}" drop constraint "${other.name}" cascade`
            : `drop index "${other.name}"`,
        );
      }
      if (where !== null) await em.execute(`update "${table}" set ${where}`);

      const duplicate = em.execute(`insert into "${table}" select t.* from "${table}" t limit 1`);

      await expect(duplicate).rejects.toMatchObject({ cause: { code: '23505' }, constraint: name });
    }),
  );
});

describe('a foreign key', () => {
  test('is led by an index of its own columns', async () => {
    const unindexed = await db.orm.em.execute(
      `select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
         select from pg_index where indrelid = conrelid and indisvalid and indpred is null
           and (indkey::int2[])[0:cardinality(conkey) - 1] = conkey)`,
    );

    expect(unindexed).toEqual([]);
  });

  test('has one column', async () => {
    const composite = await db.orm.em.execute(
      `select conname from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
         and cardinality(conkey) > 1`,
    );

    expect(composite).toEqual([]);
  });

  test('says what happens when its parent is deleted', () => {
    const silent = foreignKeys.filter(({ onDelete }) => !['cascade', 'set null'].includes(onDelete));

    expect(silent, `say .deleteRule('cascade') or .deleteRule('set null')`).toEqual([]);
  });

  test('never changes along with the key of its parent', () => {
    const changing = foreignKeys.filter(({ onUpdate }) => onUpdate !== 'no action');

    expect(changing, `keys don't change: say .updateRule('no action')`).toEqual([]);
  });

  test.each(foreignKeys)('$name refuses a parent that does not exist', ({ name, table, column }) =>
    db.rollback(async ({ em }) => {
      await insertFullRows(em);

      const dangling = em.execute(
        `update "${table}" set "${column}" = 'missing' where ctid = (select min(ctid) from "${table}")`,
      );

      await expect(dangling).rejects.toMatchObject({ cause: { code: '23503' }, constraint: name });
    }),
  );

  test.each(foreignKeys)('$name refuses to change the key of a parent', (foreignKey) =>
    db.rollback(async ({ em }) => {
      await insertFullRows(em);
      const { name, parent, parentColumn } = foreignKey;
      const key = await parentOf(em, foreignKey);
      await isolate(em, name);

      const changed = em.execute(
        `update "${parent}" set "${parentColumn}" = 'another' where "${parentColumn}" = ?`,
        [key],
      );

      await expect(changed).rejects.toMatchObject({ cause: { code: '23503' }, constraint: name });
    }),
  );

  test.each(foreignKeys)('$name, its parent deleted, does what it says: $onDelete', (foreignKey) =>
    db.rollback(async ({ em }) => {
      await insertFullRows(em);
      const { name, table, column, parent, parentColumn, onDelete } = foreignKey;
      const key = await parentOf(em, foreignKey);
      await isolate(em, name);
      const counted = async (): Promise<number> => {
        const [row] = await em.execute<{ rows: number }[]>(`select count(*)::int as rows from "${table}"`);
        return row?.rows ?? 0;
      };
      const referring = await em.execute<{ place: string }[]>(
        `select ctid::text as place from "${table}" where "${column}" = ?
           and not ('${table}' = '${parent}' and to_jsonb("${table}")->>'${parentColumn}' = ?)`,
        [key, key],
      );
      const before = await counted();

      await em.execute(`delete from "${parent}" where "${parentColumn}" = ?`, [key]);

      const deleted = (onDelete === 'cascade' ? referring.length : 0) + Number(table === parent);
      expect(referring.length).toBeGreaterThan(0);
      expect(await counted()).toBe(before - deleted);
      expect(await em.execute(`select from "${table}" where "${column}" = ?`, [key])).toEqual([]);
    }),
  );
});

/** The key of a parent that has a row which is not itself. */
async function parentOf(
  em: EntityManager,
  { table, column, parent, parentColumn }: ForeignKey,
): Promise<string> {
  if (table === parent) {
    // A parent of all, so that others than itself refer to it.
    await em.execute(`update "${table}" set "${column}" = (select min("${parentColumn}") from "${parent}")`);
  }
  const [row] = await em.execute<{ key: string }[]>(
    `select "${column}" as key from "${table}" where "${column}" is not null limit 1`,
  );
  if (!row) throw new Error(`no row of ${table} has a ${column}: have its factory or insertFullRows set one`);
  return row.key;
}

/** Drops every other foreign key, so that none of them refuses or deletes first. */
async function isolate(em: EntityManager, name: string): Promise<void> {
  for (const other of foreignKeys.filter((one) => one.name !== name)) {
    await em.execute(`alter table "${other.table}" drop constraint "${other.name}"`);
  }
}
