import { Migration } from '@mikro-orm/migrations';
import type { MigrationObject } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';

interface Code {
  /** What `up` does; it may add statements. */
  readonly up: (migration: Opened) => Promise<void>;
  readonly transactional?: boolean;
}

/** Opens what is protected, as a migration's own class does. */
class Opened extends Migration {
  get transaction() {
    return this.ctx;
  }

  override async up(): Promise<void> {}
}

describe('a statement that ends the transaction is refused before it is sent', () => {
  const create = 'create table a1 ()';
  test.each<[string, Code['up']]>([
    [
      'among those added after a query',
      async (migration) => {
        await migration.execute('select 1');
        for (const added of [create, 'commit', 'create table a2 ()', 'select 1/0']) migration.addSql(added);
      },
    ],
    [
      'within a text of several',
      async (migration) => {
        await migration.execute('select 1');
        migration.addSql(`${create}; end; create table a2 ()`);
      },
    ],
    [
      'sent by execute',
      async (migration) => {
        await migration.execute(create);
        await migration.execute('/* now */ commit and chain');
      },
    ],
    [
      'sent by execute, its error ignored',
      async (migration) => {
        await migration.execute(create);
        await migration.execute('abort').catch(() => {});
        await migration.execute('create table a2 ()');
      },
    ],
    [
      'sent by the entity manager',
      async (migration) => {
        await migration.execute(create);
        await migration.getEntityManager().execute(`prepare transaction 'half'`);
      },
    ],
    [
      'by the commit of the entity manager',
      async (migration) => {
        await migration.execute(create);
        await migration.getEntityManager().commit();
      },
    ],
    [
      'by the rollback of the entity manager',
      async (migration) => {
        await migration.execute(create);
        await migration.getEntityManager().rollback();
      },
    ],
    [
      'in a nested transaction of the entity manager',
      async (migration) => {
        await migration.getEntityManager().transactional(async (em) => {
          await em.execute(create);
          await em.execute('start transaction');
        });
      },
    ],
    [
      'in a migration that is not transactional: not sent by execute, where it would stay open',
      async (migration) => {
        migration.isTransactional = () => false;
        await migration.execute('begin');
      },
    ],
  ])('%s', async (_, up) => {
    const db = await emptyDatabase();
    const migrator = new Migrator(codeOn(db, { up }));

    await expect(migrator.up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('remove that statement'),
    });

    expect(await tables(db)).toEqual([]);
    expect(await db.orm.em.execute('select 1 from mikro_orm_migrations')).toEqual([]);
  });

  test('but savepoints and nested transactions work', async () => {
    const db = await emptyDatabase();
    await new Migrator(codeOn(db, { up: nested })).up();

    expect(await tables(db)).toEqual(['a1', 'a2', 'a5']);
  });
});

describe('what got through is found by asking the server, and the message says what was kept', () => {
  test.each<[string, Code['up'], string[], RegExp]>([
    [
      'a commit, and a later statement fails',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'commit');
        for (const added of ['create table a2 ()', 'select 1/0']) migration.addSql(added);
      },
      ['a1', 'a2'],
      /ended the transaction that the migrator began: what it did before that was kept/,
    ],
    [
      'a commit, and all succeeds',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'commit');
        migration.addSql('create table a2 ()');
      },
      ['a1', 'a2'],
      /before that was kept/,
    ],
    [
      'a commit and another transaction, in which a statement fails',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'commit; begin');
        for (const added of ['create table a2 ()', 'select 1/0']) migration.addSql(added);
      },
      ['a1'],
      /before that was kept/,
    ],
    [
      'a rollback',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'rollback');
        migration.addSql('create table a2 ()');
      },
      ['a2'],
      /before that was rolled back; .* what they did was kept/,
    ],
    [
      'a rollback, another transaction, and an error of its own',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'rollback');
        await send(migration, 'create table a2 ()');
        throw new Error('no more');
      },
      ['a2'],
      /no more.*before that was rolled back/,
    ],
    [
      'commit and chain',
      async (migration) => {
        await send(migration, 'create table a1 ()');
        await send(migration, 'commit and chain');
        migration.addSql('create table a2 ()');
      },
      ['a1'],
      /before that was kept/,
    ],
  ])('%s', async (_, up, kept, message) => {
    const db = await emptyDatabase();
    const migrator = new Migrator(codeOn(db, { up }));

    await expect(migrator.up()).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(message),
    });
    await expect(migrator.status()).resolves.toMatchObject([{ condition: 'pending' }]);

    expect(await tables(db)).toEqual(kept);
    const [entry] = await db.orm.em.execute<{ outcome: string; error: string }[]>(
      'select outcome, error from migrator.history',
    );
    expect(entry).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('ended the transaction'),
    });
  });
});

test.each([
  'create table a1 (); commit; create table a2 ()',
  `create table a1 (); prepare transaction 'half'`,
  'create table a1 (); rollback',
  'create table a1 (); abort; create table a2 ()',
  'create table a1 (); END',
  'create table a1 (); start transaction',
  `load 'auto_explain'`,
  'deallocate all',
])('refuses before the first statement: %s', async (up) => {
  const db = await emptyDatabase();

  await expect(migratorOn(db, { A: { up: ['create table first ()', up] } }).up()).rejects.toMatchObject({
    code: 'refused',
  });

  expect(await tables(db)).toEqual([]);
});

test.each([
  `do $$ begin create table a1 (); commit; end $$`,
  `create table a1 (); create procedure p() language plpgsql as 'begin commit; end'; call p()`,
  'create table a1 (); select 1/0',
])('keeps nothing, and says so: %s', async (up) => {
  const db = await emptyDatabase();

  await expect(migratorOn(db, { A: { up: ['create table first ()', up] } }).up()).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('It was rolled back.'),
  });

  expect(await tables(db)).toEqual([]);
});

function codeOn(db: TestDatabase, { up }: Code) {
  class Made extends Opened {
    override up(): Promise<void> {
      return up(this);
    }
  }
  const list: MigrationObject[] = [{ name: 'A', class: Made }];
  const orm = ormOn(db, {}, {});
  orm.config.set('migrations', { ...orm.config.get('migrations'), migrationsList: list });
  onTestFinished(() => orm.close(true));
  return orm;
}

async function tables({ orm: { em } }: TestDatabase): Promise<string[]> {
  const rows = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'mikro_orm_migrations' order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Sends a text by Kysely's own interface to the connection, which the guard does not see. */
async function send(migration: Opened, text: string): Promise<void> {
  // As a migration that queries, which is read without a connection first.
  await migration.execute('select 1');
  await sql.raw(text).execute(migration.transaction);
}

/** Uses savepoints in each way. */
async function nested(migration: Opened): Promise<void> {
  await migration.execute('create table a1 ()');
  await migration.getEntityManager().transactional((em) => em.execute('create table a2 ()'));
  await migration
    .getEntityManager()
    .transactional(async (em) => {
      await em.execute('create table a3 ()');
      throw new Error('not this one');
    })
    .catch(() => {});
  for (const added of ['savepoint s', 'create table a4 ()', 'rollback to s', 'create table a5 ()'])
    migration.addSql(added);
}
