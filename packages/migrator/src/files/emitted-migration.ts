import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isNativeError } from 'node:util/types';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import { withoutBatchOptions } from './backfill.ts';
import { MigratorError } from '../session/errors.ts';
import { disconnect } from '../internals/disconnect.ts';
import type { MigrationFile } from './migration-files.ts';
import { isMilliseconds } from '../session/milliseconds.ts';

export type Direction = 'up' | 'down';

/** Properties that a migration may declare, besides those of the ORM's class. Times in milliseconds. */
export interface MigrationSettings {
  /** How long a statement may wait for a lock before the migration is rolled back and retried. */
  readonly lockTimeout?: number;
  /** How long a statement may take; 0 for no limit. */
  readonly statementTimeout?: number;
}

/** The statements of one direction of a migration. */
interface Emitted {
  /** Null when they depend on the database, or differ each time. */
  readonly statements: readonly string[] | null;
}

/** A migration, and the statements that it emits without a database. */
export interface EmittedMigration {
  readonly file: MigrationFile;
  readonly name: string;
  readonly transactional: boolean;
  readonly settings: MigrationSettings;
  readonly up: Emitted;
  /** Null when it can't be reverted. */
  readonly down: Emitted | null;
  /** The message that its `down` throws; null when it can be reverted. */
  readonly irreversible: string | null;
  /**
   * Digest of its statements and settings, which is the same for a reformatted or compiled file. If its statements are not known in advance, the
   * digest of its name.
   */
  readonly checksum: string;
}

/** Reads the statements of a migration in both directions. Opens no connection. */
export async function readEmittedMigration(orm: MikroORM, file: MigrationFile): Promise<EmittedMigration> {
  const sample = await file.make();
  const transactional = sample.isTransactional();
  const settings = settingsOf(sample);
  const up = { statements: await statementsOf(orm, file, 'up') };
  const { down, irreversible } = await downOf(orm, file);
  const known = up.statements && (down === null || down.statements);
  const content = known
    ? {
        up: up.statements?.map(withoutBatchOptions),
        down: down?.statements?.map(withoutBatchOptions) ?? null,
        transactional,
        settings,
      }
    : file.name;
  const checksum = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return { file, name: file.name, transactional, settings, up, down, irreversible, checksum };
}

/** Returns the statements that a migration has added so far. */
export function addedStatements(orm: MikroORM, migration: Migration): string[] {
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
  const first = await collectStatements(orm, file, direction);
  if (first === null) return null;
  // A statement with the time or a random value would count as edited at the next run.
  await setTimeout(2);
  return isDeepStrictEqual(await collectStatements(orm, file, direction), first) ? first : null;
}

async function collectStatements(
  orm: MikroORM,
  file: MigrationFile,
  direction: Direction,
): Promise<string[] | null> {
  const migration = await file.make();
  let hasQueried = false;
  disconnect(orm, migration, () => {
    hasQueried = true;
    throw new Error("a migration can't query the database before it runs");
  });
  try {
    await migration[direction]();
  } catch (error) {
    if (!hasQueried) throw error;
  }
  // It may have caught the error.
  return hasQueried ? null : addedStatements(orm, migration);
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
