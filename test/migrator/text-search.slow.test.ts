import { randomBytes } from 'node:crypto';
import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator, migrationGap } from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { openDatabase } from '../../src/index.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { optionalMigrations } from '../schema/migration-chain.ts';

const [textSearch = ''] = optionalMigrations;
const request = { optional: [textSearch] };

async function migrated(): Promise<{ readonly db: TestDatabase; readonly migrator: Migrator }> {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());
  return { db, migrator: new Migrator(db.orm) };
}

/** Whether the database has the extension and the index. */
async function made({ orm }: TestDatabase): Promise<{ extension: boolean; index: boolean } | undefined> {
  const [row] = await orm.em.fork().execute<{ extension: boolean; index: boolean }[]>(
    `select exists (select from pg_extension where extname = 'pg_trgm') as extension,
       exists (select from pg_index where indexrelid = to_regclass('idx_synths_text') and indisvalid) as index`,
  );
  return row;
}

describe('the migration of text search', () => {
  test('is left out by up, and needed by nothing', async () => {
    const { db, migrator } = await migrated();

    expect(await made(db)).toEqual({ extension: false, index: false });
    expect((await migrator.status()).find(({ name }) => name === textSearch)).toMatchObject({
      condition: 'optional',
      optional: expect.stringContaining('pg_trgm'),
    });
    expect((await migrationGap(db.orm)).pending).toEqual([]);
  });

  test('makes the extension and the index, with which every comparison agrees, and reverts both', async () => {
    const { db, migrator } = await migrated();

    expect(await migrator.up(request)).toMatchObject([{ name: textSearch }]);

    expect(await made(db)).toEqual({ extension: true, index: true });
    expect(await migrator.check()).toMatchObject({ agrees: true, database: [], entities: [] });
    const opened = await openDatabase({ url: db.url, schemaDrift: 'refuse' });
    await opened.close();
    expect(await migrator.down()).toMatchObject([{ name: textSearch }]);
    expect(await made(db)).toEqual({ extension: false, index: false });
    expect(await migrator.check()).toMatchObject({ agrees: true });
  });

  test('leaves an extension that was there before', async () => {
    const { db, migrator } = await migrated();
    await db.orm.em.execute('create extension pg_trgm');

    await migrator.up(request);
    expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
    await migrator.down(request);

    expect(await made(db)).toEqual({ extension: true, index: false });
  });

  test('leaves an extension that other objects use', async () => {
    const { db, migrator } = await migrated();
    await migrator.up(request);
    await db.orm.em.execute('create index by_hand on synths using gin (id gin_trgm_ops)');

    await migrator.down(request);
    expect(await made(db)).toEqual({ extension: true, index: false });

    await db.orm.em.execute('drop index by_hand');
    await migrator.up(request);
    await migrator.down(request);
    expect(await made(db)).toEqual({ extension: false, index: false });
  });

  test('is recorded where its SQL was run by hand', async () => {
    const { db, migrator } = await migrated();
    const [planned] = await migrator.planUp(request);
    for (const sql of planned?.statements ?? [])
      if (/^(?:do|create index)/.test(sql)) await db.orm.em.getConnection().execute(sql);

    const { database } = await migrator.check();
    expect(new Set(database?.map(({ remedy }) => remedy))).toEqual(new Set([`\`baseline ${textSearch}\``]));
    expect(await migrator.baseline(textSearch)).toEqual([textSearch]);

    expect(await migrator.check()).toMatchObject({ agrees: true });
  });
});

describe('the migration of text search is refused before anything is done', () => {
  test('where the role may not create the extension', async () => {
    const { db } = await migrated();
    const role = `role_${randomBytes(6).toString('hex')}`;
    await db.orm.em.execute(
      `create role "${role}" login password 'secret'; grant usage on schema migrator to "${role}";
       grant all on all tables in schema migrator, public to "${role}"; grant all on all sequences in schema migrator, public to "${role}"`,
    );
    onTestFinished(
      async () => void (await db.orm.em.execute(`drop owned by "${role}"; drop role "${role}"`)),
    );
    const url = new URL(db.url);
    [url.username, url.password] = [role, 'secret'];
    const orm = new MikroORM(ormOptions(parseDatabaseUrl(url.href, 'url')));
    onTestFinished(() => orm.close(true));

    await expect(new Migrator(orm).up(request)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(
        `creates the extension pg_trgm, which role ${role} may not create: grant create`,
      ),
    });
    expect(await made(db)).toEqual({ extension: false, index: false });
  });

  test('where the extension is in a schema that sessions do not search', async () => {
    const { db, migrator } = await migrated();
    await db.orm.em.execute('create schema tools; create extension pg_trgm schema tools');

    await expect(migrator.up(request)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('alter extension pg_trgm set schema public'),
    });
    expect(await made(db)).toEqual({ extension: true, index: false });
    expect((await migrator.status()).at(-1)).toMatchObject({ condition: 'optional' });
  });
});
