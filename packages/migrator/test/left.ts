import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';
import { readCatalog, type Catalog } from '../src/catalog/catalog.ts';
import { readRows } from './kit/read-rows.ts';
import { accountsOrm } from './accounts.ts';

/** What runners have left in a database. */
export interface Left {
  readonly catalog: Catalog;
  readonly rows: Record<string, string[]>;
  /** The names in the ORM's log, in their order. */
  readonly log: readonly string[];
}

/** What runners have left in a database. */
export async function left(orm: MikroORM): Promise<Left> {
  const log = await orm.em.execute<{ name: string }[]>('select name from mikro_orm_migrations order by id');
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em), log: log.map(({ name }) => name) };
}

/** What one runner leaves in the empty database at `url`, when it goes up, and when it goes all the way down after that. */
export async function leftUndisturbed(url: string): Promise<{ up: Left; down: Left }> {
  const orm = accountsOrm(url);
  try {
    await new Migrator(orm).up();
    const up = await left(orm);
    await new Migrator(orm).down({ all: true });
    return { up, down: await left(orm) };
  } finally {
    await orm.close(true);
  }
}

/** `direction name` of what the history holds as done, in its order. */
export async function doneIn(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ line: string }[]>(
    `select direction || ' ' || name as line from migrator.history where outcome = 'done' order by id`,
  );
  return rows.map(({ line }) => line);
}

/** Every row that the migrator keeps, but for the time of the last heartbeat: equal before and after whatever writes nothing. */
export async function books(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ line: string }[]>(
    `select h::text as line from migrator.history h
     union all select p::text from migrator.progress p
     union all select (token, holder, migration, direction, started_at, backends)::text from migrator.lease
     union all select l::text from mikro_orm_migrations l`,
  );
  return rows.map(({ line }) => line).toSorted();
}
