import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';
import { readCatalog, type Catalog } from '../src/catalog/catalog.ts';
import { readRows } from './kit/read-rows.ts';
import { accountsOrm } from './accounts.ts';

/** The state of a database after a run. */
export interface FinalState {
  readonly catalog: Catalog;
  readonly rows: Record<string, string[]>;
  /** The names in the ORM's log, in their order. */
  readonly log: readonly string[];
}

/** Returns the state of a database. */
export async function readFinalState(orm: MikroORM): Promise<FinalState> {
  const log = await orm.em.execute<{ name: string }[]>('select name from mikro_orm_migrations order by id');
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em), log: log.map(({ name }) => name) };
}

/** Migrates the empty database at `url` up and down, and returns the state after each. */
export async function finalStates(url: string): Promise<{ up: FinalState; down: FinalState }> {
  const orm = accountsOrm(url);
  try {
    await new Migrator(orm).up();
    const up = await readFinalState(orm);
    await new Migrator(orm).down({ all: true });
    return { up, down: await readFinalState(orm) };
  } finally {
    await orm.close(true);
  }
}

/** Returns `direction name` of each completed run in the history, in order. */
export async function completedRuns(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ line: string }[]>(
    `select direction || ' ' || name as line from migrator.history where outcome = 'done' order by id`,
  );
  return rows.map(({ line }) => line);
}

/** Returns every row of the migrator's tables and the log, without the time of the last heartbeat, to prove that nothing was written. */
export async function bookkeeping(em: EntityManager): Promise<string[]> {
  const rows = await em.execute<{ line: string }[]>(
    `select h::text as line from migrator.history h
     union all select p::text from migrator.progress p
     union all select (token, holder, migration, direction, started_at, backends)::text from migrator.lease
     union all select l::text from mikro_orm_migrations l`,
  );
  return rows.map(({ line }) => line).toSorted();
}
