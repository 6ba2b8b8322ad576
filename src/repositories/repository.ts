import type {
  EntityClass,
  EntityData,
  EntityManager,
  FilterQuery,
  FindOneOptions,
  Kysely,
  Primary,
  RequiredEntityData,
} from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { NotFoundError, ReadOnlyError } from '../errors.ts';
import { findByKey, readByKey } from './find-by-key.ts';
import { recordVersionIncrement } from '../postgres/orm/entities/version-increments.ts';
import { ReadModelReader } from './read-model/read-model-reader.ts';
import type { ReadModel } from './read-model/read-model.ts';

/**
 * The methods that every repository has. None of them ends a transaction: the unit of work does. A method that writes or locks throws
 * `ReadOnlyError` outside a transaction. A value of another type than its argument's, nested ones included, is `InvalidValueError`, which
 * names the argument. Nothing is sent in either case.
 */
export abstract class Repository<E extends object> {
  protected readonly em: EntityManager;
  protected readonly entity: EntityClass<E>;

  protected constructor(em: EntityManager, entity: EntityClass<E>) {
    this.em = em;
    this.entity = entity;
  }

  /** Returns the row with this key, to be modified; null if none exists. */
  find(key: Primary<E>): Promise<E | null> {
    return findByKey(this.em, this.entity, key);
  }

  /**
   * Returns the row with this key, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async get(key: Primary<E>): Promise<E> {
    return this.requireFound(await this.find(key), key);
  }

  /** Stages a new row. A key that is absent is generated at once. A parent is given by its key or as an entity. */
  add(data: RequiredEntityData<E>): E {
    return this.em.create(this.entity, data, { persist: true });
  }

  /** Stages the removal of a row. The foreign keys decide which other rows are deleted with it. */
  remove(entity: E): void {
    this.em.remove(entity);
  }

  /**
   * Returns the row that `where` matches, to be modified; null if none exists. Flushes first.
   *
   * @throws ReadOnlyError when it is to be locked outside a transaction.
   */
  protected async findOne(
    where: FilterQuery<NoInfer<E>>,
    options: Pick<FindOneOptions<E>, 'orderBy' | 'lockMode' | 'lockTableAliases'> = {},
  ): Promise<E | null> {
    const locked = options.lockMode !== undefined;
    if (locked) this.requireTransaction();
    await this.em.flush();
    // A locked row is changed next: it must be changed as it is now, not as it was loaded before the lock.
    return this.em.findOne(this.entity, where, { ...options, refresh: locked });
  }

  /** Returns the query builder for a statement that reads plain rows. Flushes first, so that the statement sees staged changes. */
  protected async queryForRead(): Promise<Kysely<Tables>> {
    await this.em.flush();
    return this.em.getKysely<Tables>();
  }

  /**
   * Returns the query builder for a statement that writes or locks. Flushes first, so that the statement sees staged changes.
   *
   * @throws ReadOnlyError outside a transaction; nothing is sent.
   */
  protected async queryForWrite(): Promise<Kysely<Tables>> {
    this.requireTransaction();
    return this.queryForRead();
  }

  /** Returns the reader of a read model in this unit of work. */
  protected read<Shown, Given extends object, SortKey extends string>(
    model: ReadModel<Shown, Given, SortKey>,
  ): ReadModelReader<Shown, Given, SortKey> {
    return new ReadModelReader(this.em, model);
  }

  /**
   * Updates the row that `where` matches, by one statement, and reloads it where it is loaded. Its row version is incremented.
   *
   * @throws NotFoundError if it does not exist; ReadOnlyError outside a transaction.
   */
  protected async updateRow(
    key: Primary<E>,
    where: FilterQuery<NoInfer<E>>,
    data: EntityData<E>,
  ): Promise<void> {
    await this.queryForWrite();
    if ((await this.em.nativeUpdate(this.entity, where, data)) === 0)
      throw new NotFoundError(this.entity.name, key);
    await this.reload(key);
  }

  /**
   * Reloads a row that this unit of work has loaded, after a statement that changed it once, outside the entity. Unflushed changes of the
   * entity stay.
   */
  protected async reload(key: Primary<E>): Promise<void> {
    const loaded = this.em.getUnitOfWork().getById(this.entity, key);
    if (!loaded) return;
    recordVersionIncrement(loaded);
    if (!(await readByKey(this.em, this.entity, key))) this.em.getUnitOfWork().unsetIdentity(loaded);
  }

  /**
   * Checks that a transaction is open: outside of one a write could not be rolled back, and a lock would end at once.
   *
   * @throws ReadOnlyError outside a transaction.
   */
  protected requireTransaction(): void {
    if (this.em.isInTransaction()) return;
    throw new ReadOnlyError(`${this.entity.name} would be written or locked outside \`transact\``);
  }

  /**
   * Returns `found`.
   *
   * @throws NotFoundError when it is null or undefined.
   */
  protected requireFound<T>(found: T | null | undefined, key: unknown): T {
    if (found == null) throw new NotFoundError(this.entity.name, key);
    return found;
  }
}
