import { defineEntity, MikroORM, p } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ormOptions } from '../../../src/postgres/orm/orm-options.ts';
import { Database } from '../../../src/index.ts';
import { loadModes, loadRows } from '../../../src/loading/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';

// Whoever writes names into statements unquoted, or counts parameters in them, fails at one of these.
const table = `x"; drop table experiments; --`;
const columns = ['100%', '?', '$1', '"', 'a.b', '😀', 'select', 'row', 'shape', `${'é'.repeat(31)}x`];
const wide = Array.from({ length: 70 }, (_, n) => `c${n}`);

const Hostile = defineEntity({
  name: 'Hostile',
  tableName: table,
  properties: {
    id: p.text().primary(),
    ...Object.fromEntries(columns.map((name, n) => [`p${n}`, p.text().nullable().name(name)])),
  },
});
const Wide = defineEntity({
  name: 'Wide',
  tableName: 'wide',
  properties: {
    id: p.integer().primary(),
    ...Object.fromEntries(wide.map((name) => [name, p.double()])),
  },
});

describe('a table', () => {
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = new Database(new MikroORM({ ...ormOptions(db.target), entities: [Hostile, Wide] }));
    const typed = columns.map((name) => `${quoted(name)} text`);
    await db.orm.em
      .fork()
      .execute(`create table ${quoted(table)} (id text primary key, ${typed.join(', ')})`);
    const numbers = wide.map((name) => `${name} double precision not null`);
    await db.orm.em.fork().execute(`create table wide (id int primary key, ${numbers.join(', ')})`);
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
  });

  test.each(loadModes)('and its columns may have any names, and texts any content, by %s', async (mode) => {
    const [first, second] = [texts(`${mode} ?`), texts(`${mode} $1`)];
    const stored = [first, second];
    const keysAlone = stored.map(({ id }) => ({ id }));
    if (mode === 'fill_null')
      await loadRows(database, { entity: Hostile.class, mode: 'append', rows: keysAlone });

    const counts = await loadRows(database, { entity: Hostile.class, mode, rows: stored });

    expect(counts).toMatchObject(mode === 'fill_null' ? { updated: 2 } : { inserted: 2 });
    if (mode === 'upsert')
      // Its rows give different properties, which makes for the longest statement.
      await loadRows(database, {
        entity: Hostile.class,
        mode,
        rows: [{ id: first.id, p0: null }, second],
      });
    const found = await database.orm.em
      .fork()
      .find(Hostile, { id: { $like: `${mode}%` } }, { orderBy: { id: 'asc' } });
    const expected = mode === 'upsert' ? [{ ...first, p0: null }, second] : stored;
    expect(found.map((one) => ({ ...one }))).toEqual(
      expect.arrayContaining(expected.map((one) => expect.objectContaining(one))),
    );
    expect(await db.orm.em.fork().execute('select 1 from experiments')).toEqual([]);
  });

  test.each(loadModes)('takes 1,000 rows of 70 columns at once, by %s', async (mode) => {
    const rows = Array.from({ length: 1_000 }, (_, id) => ({
      id: id + loadModes.indexOf(mode) * 1_000,
      ...Object.fromEntries(wide.map((name, n) => [name, id + n / 100])),
    }));

    const counts = await loadRows(database, { entity: Wide.class, mode, rows });

    expect(counts).toMatchObject({ rows: 1_000, inserted: mode === 'fill_null' ? 0 : 1_000 });
  });
});

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function texts(id: string) {
  return {
    id,
    ...Object.fromEntries(
      columns.map((name, n) => [`p${n}`, `${name} \\. \t\n'; drop table experiments; -- ${id}`]),
    ),
  };
}
