import { Migration } from '@mikro-orm/migrations';
import type { EntityManager, MigrationObject, PostgreSqlDriver } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import { describe, expect, test } from 'vitest';
import { emptyDatabase, ormOn, type TestDatabase } from './kit/database.ts';

/** A migration that runs outside transactions, with the handles that the ORM's class hides. */
abstract class Outside extends Migration {
  override isTransactional(): boolean {
    return false;
  }
  get opened(): PostgreSqlDriver {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's driver for PostgreSQL
    return this.driver as unknown as PostgreSqlDriver;
  }
  get client(): Kysely<unknown> {
    return this.opened.getConnection().getClient();
  }
  get manager(): EntityManager {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that of the driver above
    return this.getEntityManager() as unknown as EntityManager;
  }
  get configured(): PostgreSqlDriver {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's driver for PostgreSQL
    return this.config.getDriver() as unknown as PostgreSqlDriver;
  }
}

type Send = (migration: Outside, text: string) => Promise<unknown>;

/** Every way in which code sends a statement. */
const ways: Record<string, Send> = {
  execute: (migration, text) => migration.execute(text),
  'the entity manager': (migration, text) => migration.manager.execute(text),
  'a fork of it': (migration, text) => migration.manager.fork().execute(text),
  'the driver': (migration, text) => migration.opened.execute(text),
  'its connection': (migration, text) => migration.opened.getConnection().execute(text),
  'a dump': (migration, text) => migration.opened.getConnection().executeDump(text),
  'the driver of the configuration': (migration, text) => migration.configured.execute(text),
  Kysely: (migration, text) => sql.raw(text).execute(migration.client),
  'a compiled query': (migration, text) => migration.client.executeQuery(CompiledQuery.raw(text)),
  'Kysely of the entity manager': (migration, text) => sql.raw(text).execute(migration.manager.getKysely()),
  'Kysely with a plugin': (migration, text) =>
    sql.raw(text).execute(
      migration.client.withPlugin({
        transformQuery: ({ node }) => node,
        transformResult: async ({ result }) => result,
      }),
    ),
  'one connection of Kysely': (migration, text) =>
    migration.client.connection().execute((db) => sql.raw(text).execute(db)),
  'a transaction of the entity manager': (migration, text) =>
    migration.manager.transactional((em) => em.execute(text)),
  'a transaction of Kysely': (migration, text) =>
    migration.client.transaction().execute((db) => sql.raw(text).execute(db)),
};

function migratorFor(db: TestDatabase, up: (migration: Outside) => Promise<unknown>): Migrator {
  class Made extends Outside {
    override async up(): Promise<void> {
      await up(this);
    }
  }
  const list: MigrationObject[] = [{ name: 'A', class: Made }];
  const orm = ormOn(db, {}, {});
  orm.config.set('migrations', { ...orm.config.get('migrations'), migrationsList: list });
  return new Migrator(orm);
}

async function tables({ orm: { em } }: TestDatabase): Promise<string[]> {
  const rows = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname like 'a%' order by 1`,
  );
  return rows.map(({ name }) => name);
}

describe('outside a transaction, a statement that would outlive the migration is refused before it is sent', () => {
  const texts = [
    'begin',
    'create table a2 (); commit',
    `set work_mem = '64kB'`,
    'create temp table a2 ()',
    'listen a2',
    `load 'auto_explain'`,
  ];
  const cases = Object.entries(ways).flatMap(([way, send]) =>
    texts.map((text) => [way, text, send] as const),
  );
  test.each(cases)('by %s: %s', async (_, text, send) => {
    const db = await emptyDatabase();

    const running = migratorFor(db, async (migration) => {
      await migration.execute('create table a1 ()');
      await send(migration, text);
    }).up();

    await expect(running).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/^A (?:sends|executes) "/),
    });
    expect(await tables(db)).toEqual(['a1']);
  });

  test.each(Object.entries(ways))('also where the code ignores the error, by %s', async (_, send) => {
    const running = migratorFor(await emptyDatabase(), (migration) =>
      send(migration, 'begin').catch(() => {}),
    ).up();

    await expect(running).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('outside a transaction, other statements are sent', () => {
  test.each(Object.entries(ways))('by %s', async (_, send) => {
    const db = await emptyDatabase();

    await migratorFor(db, async (migration) => {
      await send(migration, 'create table a1 ()');
      migration.addSql('create table a2 ()');
    }).up();

    expect(await tables(db)).toEqual(['a1', 'a2']);
  });

  test('in transactions that the code ends, also nested ones', async () => {
    const db = await emptyDatabase();

    await migratorFor(db, async ({ manager }) => {
      await manager.transactional(async (em) => {
        await em.execute('create table a1 ()');
        await em.transactional((inner) => inner.execute('create table a2 ()'));
      });
      await manager
        .transactional(async (em) => {
          await em.execute('create table a3 ()');
          throw new Error('not this one');
        })
        .catch(() => {});
    }).up();

    expect(await tables(db)).toEqual(['a1', 'a2']);
  });
});
