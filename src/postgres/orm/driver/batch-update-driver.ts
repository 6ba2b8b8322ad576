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
import { DataError } from '../../../errors.ts';
import { RowInsertDriver } from './row-insert-driver.ts';
import { changedColumns, batchUpdateSql, batchValues } from './batch-update.ts';
import { isOurs } from '../entities/our-entities.ts';
import { quoteDocuments } from '../../patches/quoted-documents.ts';
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
    const keys = where.map((found) => keyOf(meta, found));
    const columns =
      options.upsert || !isOurs(meta) || keys.includes(undefined) ? null : changedColumns(meta, rows);
    if (!columns) {
      if ((await lockRows()).length < versions.size) throw OptimisticLockError.lockFailed(meta.className);
      return super.nativeUpdateMany(entity, where, rows, options);
    }
    const table = this.getTableName(meta, options);
    const result = await super.nativeUpdateMany(entity, where, rows, options, (_sql, parameters) => {
      const values = keys.flatMap((key, index) => [
        key,
        versions.get(key) ?? null,
        ...batchValues(columns, rows[index]),
      ]);
      parameters.splice(0, parameters.length, ...values);
      return batchUpdateSql(table, meta, columns, keys.length);
    });
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

/** Returns the key in `where`; undefined when it is not a text in one column, or not the only condition. */
function keyOf(meta: EntityMetadata, where: unknown): string | undefined {
  const [property, ...others] = meta.primaryKeys;
  if (typeof where !== 'object' || where === null || property === undefined || others.length > 0)
    return undefined;
  const key: unknown = Reflect.get(where, property);
  return typeof key === 'string' && Object.keys(where).length === 1 ? key : undefined;
}
