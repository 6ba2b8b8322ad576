import { createHash } from 'node:crypto';
import { isNativeError } from 'node:util/types';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import { disconnect, watchQueries, type Disconnected } from '../internals/disconnect.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import { isMilliseconds } from '../session/milliseconds.ts';
import { withoutParkingCode } from '../sql/marks/parking-mark.ts';
import { withoutBatchOptions } from './backfill.ts';
import { queryText } from './checks.ts';
import type { StatementGuard } from '../session/guarded-transaction.ts';
import { callGuarded } from './guarded-migration.ts';
import { readDeclarations, type Declarations } from './declarations.ts';
import type { MigrationFile } from './migration-files.ts';
import type { MigrationSettings } from './migration-settings.ts';
import { requireOptional } from './optional.ts';
import { requireReplaces } from './replaces.ts';

export type Direction = 'up' | 'down';

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
  /** Why one would want it, where it is applied only by its name; null for one that belongs to every database. */
  readonly optional: string | null;
  readonly #orm: MikroORM;
  readonly #file: MigrationFile;
  #loaded: Promise<LoadedMigration> | undefined;

  constructor(
    orm: MikroORM,
    file: MigrationFile,
    { textDigest, replaces, optional }: Pick<CodeMigration, 'textDigest' | 'replaces' | 'optional'>,
  ) {
    this.#orm = orm;
    this.#file = file;
    this.name = file.name;
    this.textDigest = textDigest;
    this.replaces = replaces;
    this.optional = optional;
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

/** A call that waits at its first query. */
interface WaitingCall extends Disconnected {
  readonly instance: Migration;
  readonly finished: Promise<void>;
}

/** A migration whose class is loaded. */
export class LoadedMigration {
  readonly name: string;
  readonly textDigest: string | null;
  readonly transactional: boolean;
  readonly settings: MigrationSettings;
  /** Why one would want it, where it is applied only by its name; null for any other. */
  readonly optional: string | null;
  /** Whether it has a `down`: that of the ORM's class only throws. */
  readonly hasDown: boolean;
  readonly #orm: MikroORM;
  readonly #file: MigrationFile;
  readonly #sample: Migration;
  readonly #emitted = new Map<Direction, Promise<readonly string[] | null>>();
  readonly #waiting = new Map<Direction, WaitingCall>();

  private constructor(
    orm: MikroORM,
    { name, textDigest, optional }: CodeMigration,
    file: MigrationFile,
    sample: Migration,
  ) {
    this.#orm = orm;
    this.#file = file;
    this.#sample = sample;
    this.name = name;
    this.textDigest = textDigest;
    this.optional = optional;
    this.transactional = sample.isTransactional();
    this.settings = settingsOf(sample);
    this.hasDown = definesDown(sample);
  }

  static async load(orm: MikroORM, migration: CodeMigration, file: MigrationFile): Promise<LoadedMigration> {
    const sample = await file.make();
    requireReplaces(migration.name, sample, migration.replaces);
    requireOptional(migration.name, sample, migration.optional);
    const loaded = new LoadedMigration(orm, migration, file, sample);
    for (const check of [loaded.settings.prechecks, loaded.settings.postchecks].flatMap((one) => one ?? []))
      await queryText(check);
    return loaded;
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
   * the database. The call then waits at its first query for `call`, if it queries by `execute`. Further calls return the same.
   */
  emit(direction: Direction): Promise<readonly string[] | null> {
    let emitted = this.#emitted.get(direction);
    if (!emitted) this.#emitted.set(direction, (emitted = this.#emit(direction)));
    return emitted;
  }

  /**
   * Calls `up` or `down` to be run, with the database: `connect` gives the instance its handles, behind the guard. Continues a call that
   * `emit` began and that waits.
   *
   * @throws what `guard` threw first; and what the code throws.
   */
  async call(
    direction: Direction,
    guard: StatementGuard,
    connect: (instance: Migration, guard: StatementGuard) => void,
  ): Promise<Emitted> {
    const waiting = this.#waiting.get(direction);
    this.#waiting.delete(direction);
    const migration = waiting?.instance ?? (await this.#file.make());
    let hasQueried = waiting !== undefined;
    waiting?.reconnect();
    const work = (): void | Promise<void> => {
      if (!waiting) return migration[direction]();
      waiting.release();
      return waiting.finished;
    };
    await callGuarded(work, guard, (guarded) => {
      connect(migration, guarded);
      watchQueries(migration, () => (hasQueried = true));
    });
    return { statements: addedStatements(this.#orm, migration), hasQueried };
  }

  async #emit(direction: Direction): Promise<readonly string[] | null> {
    const instance = await this.#file.make();
    const waits = Promise.withResolvers<void>();
    let [hasQueried, isWaiting] = [false, false];
    const disconnected = disconnect(this.#orm, instance, {
      onWaitingQuery() {
        isWaiting = true;
        waits.resolve();
      },
      onQuery() {
        hasQueried = true;
        throw new Error("a migration can't query the database before it runs");
      },
    });
    const finished = (async () => instance[direction]())();
    // `call` handles its error.
    finished.catch(() => {});
    try {
      await Promise.race([finished, waits.promise]);
    } catch (error) {
      if (!hasQueried && !isWaiting) throw error;
    }
    // It may have caught the error of the other query, so that it can't go on.
    if (hasQueried) return null;
    if (!isWaiting) return addedStatements(this.#orm, instance);
    this.#waiting.set(direction, { ...disconnected, instance, finished });
    return null;
  }
}

/** Returns the digest of statements. The batch size and pause of a backfill don't count. */
export function digestOf(statements: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(statements.map((sql) => withoutParkingCode(withoutBatchOptions(sql)))))
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

// Not by comparing with the ORM's class, which may be loaded twice.
function definesDown(sample: Migration): boolean {
  let owner: object | null = sample;
  while (owner !== null && !Object.hasOwn(owner, 'down')) owner = Reflect.getPrototypeOf(owner);
  return owner !== null && !Object.hasOwn(owner, 'getQueries');
}

function settingsOf(migration: Migration & MigrationSettings): MigrationSettings {
  const { lockTimeout, statementTimeout, prechecks, postchecks } = migration;
  for (const [name, time] of Object.entries({ lockTimeout, statementTimeout })) {
    if (time !== undefined && !isMilliseconds(time))
      throw new Error(`${name}: ${String(time)} is not a time in milliseconds`);
  }
  for (const [name, checks] of Object.entries({ prechecks, postchecks })) {
    if (checks !== undefined && !(Array.isArray(checks) && checks.every((one) => typeof one === 'string')))
      throw new Error(`${name} is not a list of queries: write ${name} = ['select …']`);
  }
  return {
    ...(lockTimeout !== undefined && { lockTimeout }),
    ...(statementTimeout !== undefined && { statementTimeout }),
    ...(prechecks !== undefined && { prechecks }),
    ...(postchecks !== undefined && { postchecks }),
  };
}
