import type { MikroORM } from '@mikro-orm/postgresql';
import { describeDifference, Migrator, MigrationRefusedError } from 'mikro-orm-safe-migrations';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprint, readCatalog, readCatalogIn, type Catalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import { tablesOf } from '../src/ledger/tables.ts';
import { inTransaction } from '../src/session/session.ts';
import { described, project, role } from './checked-project.ts';
import { driftChain, driftProject } from './drift-project.ts';
import { drifts } from './drift.ts';
import { emptyDatabase, TestDatabase } from './kit/database.ts';

describe('names a manual change', () => {
  let db: TestDatabase;
  let orm: MikroORM;
  let untouched: Catalog;

  const read = () => readCatalog(orm);

  beforeAll(async () => {
    db = await TestDatabase.create();
    orm = driftProject(db.url);
    await new Migrator(orm).up();
    untouched = await read();
  });
  afterAll(async () => {
    await orm.close(true);
    await db.drop();
  });

  test.each(drifts)('%s', async (_, sql, ...lines) => {
    const changed = new Error('rolled back');
    let found: Catalog = new Map();

    const work = inTransaction(orm, async (session) => {
      await session.query(sql);
      found = await readCatalogIn(session, 'migrator', tablesOf(orm, 'migrator'));
      throw changed;
    });

    await expect(work).rejects.toBe(changed);
    expect(differences(untouched, found).map(describeDifference)).toEqual(lines);
    expect(fingerprint(found)).not.toBe(fingerprint(untouched));
    expect(fingerprint(await read())).toBe(fingerprint(untouched));
  });

  test('all changes together, in check', async () => {
    expect(await described(orm)).toEqual([]);
    for (const [, sql] of drifts) await orm.em.execute(sql);

    const found = await described(orm);

    expect(found?.toSorted()).toEqual(drifts.flatMap(([, , ...lines]) => lines).toSorted());
  });
});

describe('check reports', () => {
  test('pending migrations, and compares with the applied ones', async () => {
    const db = await emptyDatabase();
    const orm = project(db);
    await new Migrator(orm).up({ to: 'Migration1_shop' });

    const result = await new Migrator(orm).check();

    expect(result).toMatchObject({ agrees: false, database: [] });
    expect(result.migrations.map(({ name, condition }) => [name, condition])).toEqual([
      ['Migration2_email', 'pending'],
      ['Migration3_phone', 'pending'],
    ]);
  });

  test('late migrations, and compares with the applied ones', async () => {
    const db = await emptyDatabase();
    await new Migrator(project(db, ['Migration1_shop', 'Migration3_phone'])).up();

    const result = await new Migrator(project(db)).check();

    expect(result).toMatchObject({
      agrees: false,
      database: [],
      migrations: [{ name: 'Migration2_email', condition: 'late' }],
    });
  });

  test('a missing migration, and compares nothing', async () => {
    const db = await emptyDatabase();
    await new Migrator(project(db)).up();

    const result = await new Migrator(project(db, driftChain.slice(0, 2))).check();

    expect(result).toMatchObject({
      agrees: false,
      database: null,
      migrations: [{ name: 'Migration3_phone', condition: 'ahead' }],
    });
  });

  test("what entities need beyond the migrations, without the migrator's tables", async () => {
    const db = await emptyDatabase();
    const orm = project(db);
    await new Migrator(orm, { schema: 'elsewhere' }).up();

    const { entities } = await new Migrator(orm, { schema: 'elsewhere' }).check();

    expect(entities).toContain('create table "supplier" ("id" serial primary key)');
    expect(entities).toContain('drop table if exists "customer" cascade');
    expect(entities.filter((sql) => /elsewhere|mikro_orm_migrations/.test(sql))).toEqual([]);
  });

  test('the remedy for a role that may not create databases', async () => {
    const reader = await role(`login password 'reader' in role pg_read_all_data`);
    const db = await emptyDatabase();
    await new Migrator(project(db)).up();
    const url = new URL(db.url);
    [url.username, url.password] = [reader, 'reader'];
    const orm = project({ url: url.href });

    const checked = new Migrator(orm).check();

    await expect(checked).rejects.toThrow(MigrationRefusedError);
    await expect(checked).rejects.toThrow(`alter role ${reader} createdb`);
  });
});
