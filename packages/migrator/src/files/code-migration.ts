import { createHash } from 'node:crypto';
import { isNativeError } from 'node:util/types';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import { disconnect, watchQueries } from '../internals/disconnect.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { isMilliseconds } from '../session/milliseconds.ts';
import { withoutBatchOptions } from './backfill.ts';
import type { StatementGuard } from '../session/guarded-transaction.ts';
import { callGuarded } from './guarded-migration.ts';
import { readDeclarations, type Declarations } from './declarations.ts';
import type { MigrationFile } from './migration-files.ts';
import { requireReplaces } from './replaces.ts';

export type Direction = 'up' | 'down';

/** Properties that a migration may declare, besides those of the ORM's class. Times in milliseconds. */
export interface MigrationSettings {
  /** How long a statement may wait for a lock before the migration is rolled back and retried. */
  readonly lockTimeout?: number;
  /** How long a statement may take; 0 for no limit. */
  readonly statementTimeout?: number;
}

/** The statements that one call of `up` or `down` added. */
export interface Emitted {
  readonly statements: readonly string[];
  /** Whether the call queried the database, so that another call may add other statements. */
  readonly hasQueried: boolean;
}

/** A migration of the code, of which nothing was run yet. */
export class CodeMigration {
  readonly name: string;
  /**
   * Digest of its text with normalized line ends. Null when several migrations have the same text, as those of a factory, so that it
   * can't be compared.
   */
  readonly textDigest: string | null;
  /** Whether the text is that of its file, and not of a class, which depends on the loader and the bundler. */
  readonly hasFile: boolean;
  /** The names of the migrations that it replaces, as a squash does; usually none. */
  readonly replaces: readonly string[];
  readonly #orm: MikroORM;
  readonly #file: MigrationFile;
  #loaded: Promise<LoadedMigration> | undefined;

  constructor(
    orm: MikroORM,
    file: MigrationFile,
    { textDigest, replaces }: Pick<CodeMigration, 'textDigest' | 'replaces'>,
  ) {
    this.#orm = orm;
    this.#file = file;
    this.name = file.name;
    this.textDigest = textDigest;
    this.replaces = replaces;
    this.hasFile = typeof file.source !== 'string';
  }

  /**
   * Loads its class and creates an instance; calls neither `up` nor `down`.
   *
   * @throws MigrationRefusedError when it can't be loaded.
   */
  load(): Promise<LoadedMigration> {
    this.#loaded ??= LoadedMigration.load(this.#orm, this, this.#file).catch((cause: unknown) => {
      if (cause instanceof MigratorError) throw cause;
      const why = isNativeError(cause) ? cause.message : String(cause);
      const { source } = this.#file;
      const place = typeof source === 'string' ? '' : ` from ${source.path}`;
      throw new MigrationRefusedError(`${this.name} can't be loaded${place}: ${why}`, { cause });
    });
    return this.#loaded;
  }
}

/** A migration whose class is loaded. */
export class LoadedMigration {
  readonly name: string;
  readonly textDigest: string | null;
  readonly transactional: boolean;
  readonly settings: MigrationSettings;
  readonly #orm: MikroORM;
  readonly #file: MigrationFile;
  readonly #sample: Migration;
  readonly #emitted = new Map<Direction, Promise<readonly string[] | null>>();

  private constructor(
    orm: MikroORM,
    { name, textDigest }: CodeMigration,
    file: MigrationFile,
    sample: Migration,
  ) {
    this.#orm = orm;
    this.#file = file;
    this.#sample = sample;
    this.name = name;
    this.textDigest = textDigest;
    this.transactional = sample.isTransactional();
    this.settings = settingsOf(sample);
  }

  static async load(orm: MikroORM, migration: CodeMigration, file: MigrationFile): Promise<LoadedMigration> {
    const sample = await file.make();
    requireReplaces(migration.name, sample, migration.replaces);
    return new LoadedMigration(orm, migration, file, sample);
  }

  /** The path of its file; null for a class in the configuration's list. */
  get path(): string | null {
    return typeof this.#file.source === 'string' ? null : this.#file.source.path;
  }

  /**
   * Returns what its class declares. Not read when it is loaded: a declaration does not change what is sent.
   *
   * @throws MigrationRefusedError when a declaration is not of its form.
   */
  declarations(): Declarations {
    return readDeclarations(this.name, this.#sample);
  }

  /**
   * Calls `up` or `down` once, with every handle of the database closed to it, and returns the statements that it adds; null when it queries
   * the database. Further calls return the same.
   */
  emit(direction: Direction): Promise<readonly string[] | null> {
    let emitted = this.#emitted.get(direction);
    if (!emitted) this.#emitted.set(direction, (emitted = this.#emit(direction)));
    return emitted;
  }

  /**
   * Calls `up` or `down` to be run, with the database: `connect` gives the instance its handles, behind the guard.
   *
   * @throws what `guard` threw first; and what the code throws.
   */
  async call(
    direction: Direction,
    guard: StatementGuard,
    connect: (instance: Migration, guard: StatementGuard) => void,
  ): Promise<Emitted> {
    const migration = await this.#file.make();
    let hasQueried = false;
    watchQueries(migration, () => (hasQueried = true));
    await callGuarded(migration, direction, guard, (guarded) => connect(migration, guarded));
    return { statements: addedStatements(this.#orm, migration), hasQueried };
  }

  async #emit(direction: Direction): Promise<readonly string[] | null> {
    const migration = await this.#file.make();
    let hasQueried = false;
    disconnect(this.#orm, migration, () => {
      hasQueried = true;
      throw new Error("a migration can't query the database before it runs");
    });
    try {
      await migration[direction]();
    } catch (error) {
      if (!hasQueried) throw error;
    }
    // It may have caught the error.
    return hasQueried ? null : addedStatements(this.#orm, migration);
  }
}

/** Returns the digest of statements. The batch size and pause of a backfill don't count. */
export function digestOf(statements: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(statements.map(withoutBatchOptions)))
    .digest('hex');
}

function addedStatements(orm: MikroORM, migration: Migration): string[] {
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
