import { Migration } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  Migrator,
  MigrationRefusedError,
  type MigratorOptions,
  type PlannedMigration,
} from 'mikro-orm-safe-migrations';
import type { Target } from './kit/server.ts';
import { emptyDatabase, migratorOn, TestDatabase } from './kit/database.ts';
import { WireProxy } from './kit/proxy/wire-proxy.ts';

class Migration20260101000000_tables extends Migration {
  override up(): void {
    this.addSql(`create table books (id int primary key, title text not null)`);
    this.addSql(`
      insert into books values (1, 'a; b'), -- two of them;
        (2, 'it''s')`);
  }
  override down(): void {
    this.addSql(`drop table books`);
  }
}

class Migration20260102000000_indexed extends Migration {
  override isTransactional(): boolean {
    return false;
  }
  override up(): void {
    this.addSql(`create index concurrently books_title on books (title)`);
    this.addSql(`comment on index books_title is 'for lists'`);
  }
  override down(): void {
    this.addSql(`drop index concurrently books_title`);
  }
}

class Migration20260103000000_slowly extends Migration {
  readonly lockTimeout = 250;
  readonly statementTimeout = 0;
  override up(): void {
    this.addSql(`alter table books add column pages int;`);
  }
  override down(): void {
    this.addSql(`alter table books drop column pages`);
  }
}

class Migration20260104000000_looks extends Migration {
  override async up(): Promise<void> {
    const [row] = await this.execute(`select max(id) as last from books`);
    this.addSql(`insert into books values (${Number(row?.['last']) + 1}, 'found')`);
  }
  override down(): void {
    this.addSql(`delete from books where title = 'found'`);
  }
}

const chain = [
  Migration20260101000000_tables,
  Migration20260102000000_indexed,
  Migration20260103000000_slowly,
  Migration20260104000000_looks,
];
const [tables = '', indexed = '', slowly = '', looks = ''] = chain.map(({ name }) => name);

// What the migrator asks and writes down for itself; transactions with nothing else in them are its own too.
const ownBusiness =
  /"migrator"|"mikro_orm_migrations"|"mikro_orm_safe_migrations"|^select pg_current_xact_id\(\)|^(?:select pg_advisory_unlock_all\(\); unlisten \*; )?discard sequences$|pg_stat_activity|to_regclass|to_regnamespace|pg_settings|^select set_config\(name, '0', |^select current_setting\('role'|^select set_config\('role'|clock_timestamp\(\)\) #>> '{}' as now|^select pg_backend_pid\(\) as pid$|^select (?:from|format\('%I\.%I', nspname, relname\) as name from) pg_class|^set local search_path to '';/;

function sent(proxy: WireProxy): string[] {
  const rest: string[] = [];
  // What can't run in a transaction begins with a comment that tells the lease.
  const statements = proxy.statements.map((one) => one.replace(/^\/\* "migrator"."lease" \d+ \*\/ /, ''));
  for (const statement of statements.filter((one) => !ownBusiness.test(one))) {
    if (statement === 'commit' && rest.at(-1)?.startsWith('start transaction')) rest.pop();
    else rest.push(statement);
  }
  return rest;
}

function planned(migrations: readonly PlannedMigration[]): string[] {
  return migrations.flatMap(({ statements }) => statements.map((sql) => sql.trim()));
}

/** The statements of tables and procedures that a plan shows outside transactions. */
function outsideIn(plan: readonly PlannedMigration[]): string[] {
  return planned(plan).filter(
    (sql, index, all) => /^(?:call|reindex|cluster)/.test(sql) && all[index + 1] !== 'commit',
  );
}

function names(plan: readonly PlannedMigration[]): string[] {
  return plan.map(({ name }) => name);
}

function project(
  { parts }: Target,
  migrations: readonly (new (...given: ConstructorParameters<typeof Migration>) => Migration)[],
): MikroORM {
  const { host, port, user, password, database: dbName } = parts;
  const orm = new MikroORM({
    host,
    port,
    user,
    password,
    dbName,
    discovery: { warnWhenNoEntities: false },
    migrations: { migrationsList: [...migrations], snapshot: false },
  });
  onTestFinished(() => orm.close(true));
  return orm;
}

describe('a plan', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  beforeEach(async () => {
    db = await TestDatabase.create();
    proxy = await WireProxy.start(db.target);
  });
  afterEach(async () => {
    await proxy.close();
    await db.drop();
  });

  const migrator = (migrations = chain, options: MigratorOptions = {}) =>
    new Migrator(project(proxy.target, migrations), options);

  test('lists exactly the statements that a run sends, in order, in both directions', async () => {
    // Without the one that asks the database.
    const runner = migrator(chain.slice(0, 3), { lockTimeout: 777, statementTimeout: 88_000 });
    const up = await runner.planUp();
    proxy.reset();
    await runner.up();
    expect(sent(proxy)).toEqual(planned(up));
    expect(planned(up)).toHaveLength(15);

    const down = await runner.planDown({ all: true });
    proxy.reset();
    await runner.down({ all: true });
    expect(sent(proxy)).toEqual(planned(down));
    expect(planned(down).filter((statement) => statement.startsWith('drop'))).toEqual([
      'drop index concurrently books_title',
      'drop table books',
    ]);
  });

  test('only reads', async () => {
    const runner = migrator();
    proxy.reset();

    await runner.planUp();

    expect(proxy.statements.filter((statement) => !statement.startsWith('select'))).toEqual([]);
  });

  test('marks a migration that queries the database as not known', async () => {
    const up = await migrator().planUp({ from: slowly });

    expect(up).toEqual([
      {
        name: looks,
        direction: 'up',
        transactional: true,
        known: false,
        statements: [
          'start transaction isolation level read committed',
          `set local lock_timeout = '1000ms'; set local statement_timeout = '900000ms'`,
          'commit',
        ],
        takesOver: [],
        optional: null,
      },
    ]);
  });

  test('begins with the interrupted migration, without its finished statements', async () => {
    const runner = migrator(chain.slice(0, 3));
    await runner.up({ to: tables });
    proxy.failAt(/^comment on/, 'error');
    await expect(runner.up()).rejects.toThrow(indexed);

    const down = await runner.planDown({ steps: 2 });
    proxy.reset();
    await runner.down({ steps: 2 });

    expect(down.map(({ name, direction }) => [name, direction])).toEqual([
      [indexed, 'up'],
      [indexed, 'down'],
      [tables, 'down'],
    ]);
    expect(planned(down)).not.toContain('create index concurrently books_title on books (title)');
    expect(sent(proxy)).toEqual(planned(down));
  });

  test('is refused where a run is refused', async () => {
    const runner = migrator();
    await runner.up();
    const edited = class extends Migration20260103000000_slowly {
      override up(): void {
        this.addSql(`alter table books add column pages bigint`);
      }
    };
    Object.defineProperty(edited, 'name', { value: slowly });
    const [first, second, third, fourth] = chain;
    if (!first || !second || !third || !fourth) throw new Error('the chain has four');
    const refused = [
      [migrator([first, second, edited, fourth]), `${slowly} was edited`],
      [migrator([first, third, fourth]), `${indexed} is applied, but`],
      [migrator([first, second]), `${slowly} is applied and newer`],
    ] as const;

    for (const [changed, why] of refused) {
      const refusal = expect.objectContaining({ message: expect.stringContaining(why) });
      await expect(changed.planUp()).rejects.toThrow(MigrationRefusedError);
      await expect(changed.planUp()).rejects.toEqual(refusal);
      await expect(changed.planDown()).rejects.toEqual(refusal);
      await expect(changed.up()).rejects.toEqual(refusal);
    }
    await expect(runner.planUp({ to: 'looks' })).rejects.toThrow(`did you mean ${looks}?`);
    await expect(runner.planDown({ steps: 0 })).rejects.toThrow('steps: 0 is not a number of migrations');
  });

  test('needs no database with `from`', async () => {
    const runner = migrator();
    expect(names(await runner.planUp({ from: null }))).toEqual([tables, indexed, slowly, looks]);
    expect(names(await runner.planUp({ from: tables, to: slowly }))).toEqual([indexed, slowly]);
    expect(names(await runner.planDown({ from: slowly, to: tables }))).toEqual([slowly, indexed]);
    expect(await runner.planDown({ from: null })).toEqual([]);
    await expect(runner.planUp({ from: 'slowly' })).rejects.toThrow(`did you mean ${slowly}?`);
  });
});

test('a plan asks the server whether a procedure commits, and a table is partitioned', async () => {
  const db = await emptyDatabase();
  await db.orm.em.execute(`
    create procedure committing() language plpgsql as 'begin commit; end';
    create procedure calm() language plpgsql as 'begin perform 1; end';
    create table parts (a int primary key) partition by range (a); create table plain (a int primary key)`);
  const alone = [
    'call committing()',
    'reindex table parts',
    'reindex index parts_pkey',
    'cluster parts using parts_pkey',
  ];
  const inTransactions = [
    'call calm()',
    'call absent()',
    'reindex table plain',
    'cluster plain using plain_pkey',
  ];
  const migrator = migratorOn(db, { A: { up: [...alone, ...inTransactions], transactional: false } });

  expect(outsideIn(await migrator.planUp())).toEqual(alone);
  expect(outsideIn(await migrator.planUp({ from: null }))).toEqual([]);
});
