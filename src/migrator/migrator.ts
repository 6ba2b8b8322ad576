import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';

/** A migration: its name, and when it was applied, or null while it is pending. */
export interface MigrationState {
  readonly name: string;
  readonly appliedAt: Date | null;
}

// Any number that nothing else on the server uses.
const lockKey = 7_264_331;
const lockWaitMs = 60_000;

/** Every migration that the code or the database knows, oldest first. Writes nothing. */
export async function migrationStates(orm: MikroORM): Promise<MigrationState[]> {
  const applied = new Map((await appliedMigrations(orm)).map(({ name, appliedAt }) => [name, appliedAt]));
  const names = new Set([...(await migrationNames(orm)), ...applied.keys()]);
  return [...names].toSorted().map((name) => ({ name, appliedAt: applied.get(name) ?? null }));
}

/** How a database and the code differ in their migrations. */
export interface MigrationGap {
  /** What the code has and the database has not, oldest first. */
  readonly pending: readonly string[];
  /** What the database has and the code has not: it was migrated by newer code. */
  readonly unknown: readonly string[];
}

/** How the database and the code differ in their migrations. Writes nothing. */
export async function migrationGap(orm: MikroORM): Promise<MigrationGap> {
  const applied = new Set((await appliedMigrations(orm)).map(({ name }) => name));
  const known = new Set(await migrationNames(orm));
  return {
    pending: [...known].filter((name) => !applied.has(name)),
    unknown: [...applied].filter((name) => !known.has(name)),
  };
}

/**
 * Applies what is pending, oldest first, each migration in its own transaction, and returns the names of those applied. When
 * several processes call it at once, one migrates; the rest wait up to a minute and find nothing left.
 */
export function migrateUp(orm: MikroORM): Promise<string[]> {
  return alone(orm, async () => (await orm.migrator.up()).map(({ name }) => name));
}

/** Reverts the migration applied last, and returns its name; null when none is applied. */
export function migrateDown(orm: MikroORM): Promise<string | null> {
  return alone(orm, async () => (await orm.migrator.down())[0]?.name ?? null);
}

// The ORM's migrator takes no lock; this transaction does nothing but hold one. It polls, since a session that waits inside
// `pg_advisory_lock` holds a snapshot, which `create index concurrently` in turn waits for.
async function alone<T>(orm: MikroORM, work: () => Promise<T>): Promise<T> {
  const connection = orm.em.getConnection();
  return connection.transactional(async (holder) => {
    const deadline = Date.now() + lockWaitMs;
    while (!(await tryLock())) {
      if (Date.now() > deadline)
        throw new Error('another process is migrating this database and does not come to an end');
      await setTimeout(100);
    }
    return work();

    async function tryLock(): Promise<boolean> {
      const row: { locked?: boolean } = await connection.execute(
        'select pg_try_advisory_xact_lock(?) as locked',
        [lockKey],
        'get',
        holder,
      );
      return row.locked === true;
    }
  });
}

async function appliedMigrations(orm: MikroORM): Promise<{ name: string; appliedAt: Date }[]> {
  const connection = orm.em.getConnection();
  // Asked first, so that a database that was never migrated is an answer rather than an error.
  const [found] = await connection.execute<{ log: string | null }[]>(
    `select to_regclass('mikro_orm_migrations') as log`,
  );
  if (found?.log == null) return [];
  const rows = await connection.execute<{ name: string; executed_at: string }[]>(
    'select name, executed_at from mikro_orm_migrations order by id',
  );
  return rows.map(({ name, executed_at }) => ({ name, appliedAt: new Date(executed_at) }));
}

async function migrationNames(orm: MikroORM): Promise<string[]> {
  const { path } = orm.config.get('migrations');
  const files = path === undefined ? [] : await readdir(path);
  return files
    .filter((file) => /^Migration.*(?<!\.d)\.(?:ts|js)$/.test(file))
    .map((file) => file.slice(0, -3))
    .toSorted();
}
