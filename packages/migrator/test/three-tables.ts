import type { Migrator } from 'mikro-orm-safe-migrations';
import type { Migrations } from './project.ts';

export const first = 'Migration1_first';
export const second = 'Migration2_second';
export const third = 'Migration3_third';
/** Migrations that create a table each. */
export const threeTables = {
  [first]: { up: ['create table first (id int)'], down: ['drop table first'] },
  [second]: { up: ['create table second (id int)'], down: ['drop table second'] },
  [third]: { up: ['create table third (id int)'], down: ['drop table third'] },
} satisfies Migrations;

/** Returns the conditions of all migrations, in their order. */
export const conditionsOf = async (migrator: Migrator): Promise<string[]> =>
  (await migrator.status()).map(({ condition }) => condition);
