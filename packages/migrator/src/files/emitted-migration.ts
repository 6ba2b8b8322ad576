import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isNativeError } from 'node:util/types';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import { withoutPace } from './backfill.ts';
import { MigratorError } from '../session/errors.ts';
import type { MigrationFile } from './migration-files.ts';
import { isMilliseconds } from '../session/milliseconds.ts';

export type Direction = 'up' | 'down';

/** What a migration may say of itself, beside what the ORM's own class offers. Times in milliseconds. */
export interface MigrationSettings {
  /** How long a statement may wait for a lock, before the migration is taken back and tried again. */
  readonly lockTimeout?: number;
  /** How long a statement may take; 0 for as long as it needs. */
  readonly statementTimeout?: number;
}

/** What one direction of a migration sends. */
export interface Emitted {
  /** Null when it depends on what the migration reads from the database or does there by itself, or is other each time. */
  readonly statements: readonly string[] | null;
}

/** A migration, and what it would send, known without a database. */
export interface EmittedMigration {
  readonly file: MigrationFile;
  readonly name: string;
  readonly transactional: boolean;
  readonly settings: MigrationSettings;
  readonly up: Emitted;
  /** Null when it can't be reverted. */
  readonly down: Emitted | null;
  /** What its `down` throws, the ORM's own for one; null when it can be reverted. */
  readonly irreversible: string | null;
  /**
   * Of all that it sends and how, so that a reformatted file and a built one have the same. One whose statements are not known ahead
   * has that of its name.
   */
  readonly checksum: string;
}

/** What a migration sends, in both directions. Opens no connection. */
export async function emit(orm: MikroORM, file: MigrationFile): Promise<EmittedMigration> {
  const sample = await file.make();
  const transactional = sample.isTransactional();
  const settings = settingsOf(sample);
  const up = { statements: await statementsOf(orm, file, 'up') };
  const { down, irreversible } = await downOf(orm, file);
  const known = up.statements && (down === null || down.statements);
  const content = known
    ? {
        up: up.statements?.map(withoutPace),
        down: down?.statements?.map(withoutPace) ?? null,
        transactional,
        settings,
      }
    : file.name;
  const checksum = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return { file, name: file.name, transactional, settings, up, down, irreversible, checksum };
}

/** The texts of what a migration has staged so far. */
export function queriesOf(orm: MikroORM, migration: Migration): string[] {
  const platform = orm.em.getPlatform();
  return migration
    .getQueries()
    .map((query) => {
      if (typeof query === 'string') return query;
      const { sql, params } = 'toRaw' in query ? query.toRaw() : query;
      return platform.formatQuery(sql, [...params]);
    })
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

async function statementsOf(
  orm: MikroORM,
  file: MigrationFile,
  direction: Direction,
): Promise<string[] | null> {
  const first = await stagedBy(orm, file, direction);
  if (first === null) return null;
  // With the time in it, or something random, it would count as edited ever after.
  await setTimeout(2);
  return isDeepStrictEqual(await stagedBy(orm, file, direction), first) ? first : null;
}

async function stagedBy(orm: MikroORM, file: MigrationFile, direction: Direction): Promise<string[] | null> {
  const migration = await file.make();
  let asked = false;
  const ask = (): never => {
    asked = true;
    throw new Error("a migration can't query the database before it runs");
  };
  // Whatever it would do by itself, now, goes through one of these.
  Object.assign(migration, { execute: ask, getEntityManager: ask, driver: offline(orm, ask) });
  try {
    await migration[direction]();
  } catch (error) {
    if (!asked) throw error;
  }
  // It may have caught what it was answered.
  return asked ? null : queriesOf(orm, migration);
}

function offline(orm: MikroORM, ask: () => never): object {
  const driver = orm.em.getDriver();
  return new Proxy(driver, { get: (_, key) => (key === 'getPlatform' ? () => driver.getPlatform() : ask()) });
}

async function downOf(
  orm: MikroORM,
  file: MigrationFile,
): Promise<Pick<EmittedMigration, 'down' | 'irreversible'>> {
  try {
    return { down: { statements: await statementsOf(orm, file, 'down') }, irreversible: null };
  } catch (error) {
    if (error instanceof MigratorError) throw error;
    return { down: null, irreversible: isNativeError(error) ? error.message : String(error) };
  }
}

function settingsOf(migration: Migration & MigrationSettings): MigrationSettings {
  const { lockTimeout, statementTimeout } = migration;
  for (const [name, time] of Object.entries({ lockTimeout, statementTimeout })) {
    if (time !== undefined && !isMilliseconds(time))
      throw new Error(`${name}: ${String(time)} is not a time in milliseconds`);
  }
  return {
    ...(lockTimeout !== undefined && { lockTimeout }),
    ...(statementTimeout !== undefined && { statementTimeout }),
  };
}
