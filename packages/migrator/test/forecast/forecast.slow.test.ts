import { describe, expect, test } from 'vitest';
import { Migrator, type Forecast } from 'mikro-orm-safe-migrations';
import type { Pool } from 'pg';
import { readCatalog } from '../../src/catalog/catalog.ts';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from '../kit/database.ts';
import { createRole } from '../kit/roles.ts';
import type { Migrations } from '../project.ts';

const person: Migrations = {
  M1: { up: ['create table person (id int primary key, name text)'], down: ['drop table person'] },
};

async function withRows(count: number, chain: Migrations = person): Promise<TestDatabase> {
  const db = await emptyDatabase();
  await migratorOn(db, chain).up();
  await db.orm.em.execute(`insert into person select n, 'name ' || n from generate_series(1, ${count}) n`);
  await db.orm.em.execute('analyze person');
  return db;
}

async function forecastOf(db: TestDatabase, chain: Migrations): Promise<Forecast[]> {
  const migrator = migratorOn(db, chain);
  return migrator.forecast(await migrator.planUp());
}

describe('forecast', () => {
  test('gives the time and locks of each statement, on tables as large as the real ones', async () => {
    const db = await withRows(5_000);

    const found = await forecastOf(db, {
      ...person,
      M2: { up: ['create index i on person (name)', 'alter table person add age int'] },
    });

    expect(found).toMatchObject([
      {
        migration: 'M2',
        direction: 'up',
        unknown: null,
        tables: [{ table: 'person', rows: 5_000, hasStatistics: true, measuredRows: 5_000 }],
        statements: [
          { statement: 1, locks: [{ table: 'person', lock: 'ShareLock', blocks: 'writes' }] },
          {
            statement: 2,
            locks: [{ table: 'person', lock: 'AccessExclusiveLock', blocks: 'reads and writes' }],
          },
        ],
      },
    ]);
    const [{ durationMs, statements } = { durationMs: null, statements: [] }] = found;
    expect(durationMs).toBeGreaterThan(0);
    // Both are held to the end of the transaction.
    expect(statements[0]?.locks[0]?.heldMs).toBeCloseTo(durationMs ?? 0, 0);
  });

  test('knows a table under the name that an earlier migration gives it', async () => {
    const db = await withRows(100);

    const found = await forecastOf(db, {
      ...person,
      M2: { up: ['alter table person rename to human'] },
      M3: { up: ['create index i on human (name)'] },
    });

    expect(found.map(({ tables }) => tables.map(({ table, rows }) => [table, rows]))).toEqual([
      [['person', 100]],
      [['human', 100]],
    ]);
  });

  test('estimates the rows of a table without statistics by its size, and says so', async () => {
    const db = await withRows(20_000);
    await db.orm.em.execute(
      'create table copy as select * from person; drop table person; alter table copy rename to person',
    );

    const [found] = await forecastOf(db, { ...person, M2: { up: ['create index i on person (name)'] } });

    expect(found?.tables).toMatchObject([{ table: 'person', hasStatistics: false }]);
    expect(found?.tables[0]?.rows).toBeGreaterThan(10_000);
    expect(found?.tables[0]?.rows).toBeLessThan(40_000);
  });

  test('forecasts what goes down', async () => {
    const chain = {
      ...person,
      M2: { up: ['alter table person add age int'], down: ['alter table person drop age'] },
    };
    const db = await withRows(50, chain);
    const migrator = migratorOn(db, chain);

    const found = await migrator.forecast(await migrator.planDown({ all: true }));

    expect(found.map(({ migration, statements }) => [migration, statements.map(({ sql }) => sql)])).toEqual([
      ['M2', ['alter table person drop age']],
      ['M1', ['drop table person']],
    ]);
  });

  test('is unknown for a migration that fails without rows, and for those after it', async () => {
    const db = await withRows(10);

    const found = await forecastOf(db, {
      ...person,
      M2: { up: ['alter table missing add age int'] },
      M3: { up: ['alter table person add age int'] },
    });

    expect(found.map(({ durationMs, unknown }) => [durationMs, unknown])).toEqual([
      [null, 'up fails without rows'],
      [null, 'M2 before it fails without rows'],
    ]);
  });

  test('measures as a role that may only create databases, also a table with a foreign key', async () => {
    const db = await emptyDatabase();
    const role = await createRole(db, 'createdb');
    await db.orm.em.execute(
      `grant all on schema public to "${role.name}"; grant create on database "${db.target.parts.database}" to "${role.name}"`,
    );
    const chain: Migrations = {
      ...person,
      M2: { up: ['create table pet (id int primary key, owner int not null unique references person)'] },
    };
    const migrator = migratorOn(role, chain);
    await migrator.up();
    await db.orm.em.execute(
      `insert into person select n, 'name' from generate_series(1, 900) n; insert into pet select n, n from generate_series(1, 500) n; analyze`,
    );

    const [found] = await migratorOn(role, {
      ...chain,
      M3: { up: ['alter table pet alter owner type bigint'] },
    }).forecast([{ name: 'M3', direction: 'up' }]);

    expect(found).toMatchObject({
      unknown: null,
      tables: [{ table: 'pet', rows: 500, hasStatistics: true, measuredRows: 500 }],
      statements: [{ locks: [{ table: 'person' }, { table: 'pet', lock: 'AccessExclusiveLock' }] }],
    });
  });

  test('sends nothing to the tables of the connected database, and changes nothing on it', async () => {
    const db = await withRows(30);
    const sent: string[] = [];
    const orm = ormOn(
      db,
      { ...person, M2: { up: ['alter table person alter name set not null'] } },
      { driverOptions: { onPoolCreated: (pool: Pool) => record(pool, db.target.parts.database, sent) } },
    );
    const before = await readCatalog(db.orm, 'none');

    const [found] = await new Migrator(orm).forecast([{ name: 'M2', direction: 'up' }]);

    expect(found?.unknown).toBeNull();
    expect(sent.filter((text) => text.includes('pg_stats'))).toHaveLength(1);
    expect(sent.filter((text) => /\bperson\b/.test(text))).toEqual([]);
    expect(await readCatalog(db.orm, 'none')).toEqual(before);
  });
});

/** Records what the connections of a pool to one database send. */
function record(pool: Pool, database: string, sent: string[]): void {
  pool.on('connect', (client) => {
    const query: (...given: unknown[]) => unknown = client.query.bind(client);
    Object.assign(client, {
      query: (...given: readonly unknown[]) => {
        if (client.database === database) sent.push(String(given[0]));
        return query(...given);
      },
    });
  });
}
