import { expect } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { Migrator, MigrationRefusedError } from 'mikro-orm-safe-migrations';
import { TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';
import { projectOn, type Migrations } from './project.ts';

export const first = 'Migration20260101000000_first';
export const second = 'Migration20260102000000_second';
export const third = 'Migration20260103000000_third';
export const fourth = 'Migration20260104000000_fourth';

/** A chain of four. */
export const all = {
  [first]: { up: ['create table first (id int primary key)'], down: ['drop table first'] },
  [second]: { up: ['create table second (id int)'], down: ['drop table second'] },
  [third]: { up: ['create table third (id int)'], down: ['drop table third'] },
  [fourth]: { up: ['create table fourth (id int)'], down: ['drop table fourth'] },
} satisfies Migrations;

/** The chain, some left out. */
export function without(...names: (keyof typeof all)[]): Migrations {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.some((left) => left === name)));
}

/** Returns a database with the first three applied, and a row. The caller drops it. */
export async function migrated(): Promise<TestDatabase> {
  const db = await TestDatabase.create();
  const orm = projectOn(db.url, without(fourth));
  await new Migrator(orm).up();
  await orm.close(true);
  await db.orm.em.execute('insert into first values (1)');
  return db;
}

/** All that a refusal leaves as it was. */
export async function contents({ orm, orm: { em } }: TestDatabase) {
  return {
    catalog: await readCatalog(orm),
    rows: await readRows(em),
    log: await em.execute('select * from mikro_orm_migrations order by id'),
    history: await em.execute('select * from migrator.history order by id'),
    progress: await em.execute('select * from migrator.progress'),
  };
}

/** Why `work` is refused; the database is as it was before. */
export async function refusal(db: TestDatabase, work: () => Promise<unknown>): Promise<string> {
  const before = await contents(db);
  const [settled] = await Promise.allSettled([work()]);
  expect(await contents(db)).toEqual(before);
  if (settled?.status !== 'rejected') throw new Error('it was not refused');
  expect(settled.reason).toBeInstanceOf(MigrationRefusedError);
  return String(settled.reason.message);
}
