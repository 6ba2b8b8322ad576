import {
  LockMode,
  OptimisticLockError,
  type Configuration,
  type DriverException,
  type EntityData,
  type EntityDictionary,
  type EntityMetadata,
  type EntityName,
  type FilterQuery,
  type FindOptions,
  type NativeInsertUpdateManyOptions,
  type ObjectQuery,
  type QueryResult,
  type UpsertManyOptions,
} from '@mikro-orm/core';
import { CompiledQuery } from 'kysely';
import { DataError } from '../../../errors.ts';
import { RowInsertDriver } from './row-insert-driver.ts';
import { batchUpdate } from './batch-update.ts';
import { isOurs } from '../entities/our-entities.ts';
import { quoteDocuments } from '../../patches/orm/quoted-documents.ts';
import { parseVersionCheck, type VersionCheck } from './version-check.ts';

/** The versions of a batch that a flush has read, and a query that locks the rows and returns those with these versions. */
type SeenVersions = Pick<VersionCheck<object>, 'versions'> & {
  readonly lockRows: () => Promise<readonly unknown[]>;
};

/**
 * The ORM's driver, with another update of batches, on connections that can throw `DataError`s. It joins the rows of our entities with their
 * new values. The ORM writes a `case` for each column with a `when` for each row, and PostgreSQL evaluates all of them for each row.
 *
 * The same statement locks the rows in the order of their keys and compares their versions. The ORM reads the versions before a batch, without
 * locks. That query is answered without a statement, and its versions are kept for the update.
 */
export class BatchUpdateDriver extends RowInsertDriver {
  readonly #seen = new WeakMap<object, SeenVersions>();

  constructor(config: Configuration) {
    super(config);
    quoteDocuments(this.platform);
  }

  override convertException(exception: Error): DriverException {
    if (!(exception instanceof DataError)) return super.convertException(exception);
    // The ORM throws the result unchanged.
    return exception;
  }

  override find<
    T extends object,
    P extends string = never,
    F extends string = never,
    E extends string = never,
  >(
    entity: EntityName<T>,
    where: ObjectQuery<T>,
    options: FindOptions<T, P, F, E> = {},
  ): Promise<EntityData<T>[]> {
    const meta = this.metadata.get<T>(entity);
    const check = options.ctx && isOurs(meta) ? parseVersionCheck(meta, where, options) : null;
    if (!options.ctx || !check) return super.find(entity, where, options);
    this.#seen.set(options.ctx, {
      versions: check.versions,
      lockRows: () => super.find(entity, where, { ...options, lockMode: LockMode.PESSIMISTIC_WRITE }),
    });
    return Promise.resolve(check.rows);
  }

  override async nativeUpdateMany<T extends object>(
    entity: EntityName<T>,
    where: FilterQuery<T>[],
    rows: EntityDictionary<T>[],
    options: NativeInsertUpdateManyOptions<T> & UpsertManyOptions<T> = {},
  ): Promise<QueryResult<T>> {
    const meta = this.metadata.get<T>(entity);
    const { versions, lockRows } = this.#takeSeenVersions(options.ctx);
    // Only a flush passes values that are converted already.
    const isFlush = options.convertCustomTypes === false && !options.upsert && !options.signal;
    const keys = isFlush && isOurs(meta) ? keysOf(meta, where) : null;
    const result = keys && (await this.updateBatch(meta, keys, versions, rows, options));
    if (result) return result;
    if ((await lockRows()).length < versions.size) throw OptimisticLockError.lockFailed(meta.className);
    return super.nativeUpdateMany(entity, where, rows, options);
  }

  /**
   * Updates the rows with these keys. Returns null when only the ORM can write a value.
   *
   * @throws OptimisticLockError when a row does not have the version in `versions`.
   */
  async updateBatch<T extends object>(
    meta: EntityMetadata<T>,
    keys: readonly string[],
    versions: ReadonlyMap<unknown, number>,
    rows: readonly EntityDictionary<T>[],
    options: NativeInsertUpdateManyOptions<T>,
  ): Promise<QueryResult<T> | null> {
    const update = batchUpdate(this.getTableName(meta, options), meta, keys, versions, rows);
    if (!update) return null;
    const query = CompiledQuery.raw(update.sql, [...update.parameters]);
    const result = await this.rethrow(this.connection.write<T>(query, options));
    if ((result.rows?.length ?? 0) < keys.length) throw OptimisticLockError.lockFailed(meta.className);
    return result;
  }

  /** Returns whether the update of a batch locks its rows. `RowVersionGuard` locks those of other entities. */
  locksBatches(meta: EntityMetadata): boolean {
    return isOurs(meta) && !meta.compositePK;
  }

  #takeSeenVersions(ctx: object | undefined): SeenVersions {
    const seen = ctx && this.#seen.get(ctx);
    if (ctx) this.#seen.delete(ctx);
    return seen ?? { versions: new Map(), lockRows: () => Promise.resolve([]) };
  }
}

/** Returns the keys in `where`; null when one of them is not a text in one column, or not the only condition. */
function keysOf(meta: EntityMetadata, where: readonly unknown[]): string[] | null {
  const [property, ...others] = meta.primaryKeys;
  if (property === undefined || others.length > 0) return null;
  const keys: string[] = [];
  for (const one of where) {
    if (typeof one !== 'object' || one === null || Object.keys(one).length !== 1) return null;
    const key: unknown = Reflect.get(one, property);
    if (typeof key !== 'string') return null;
    keys.push(key);
  }
  return keys;
}
