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
 * What every repository can do. Nothing here ends a transaction: the unit of work does. What sends a statement that writes or locks
 * throws `ReadOnlyError` outside of one, before anything is sent. A value of another type than its argument's, nested ones included, is
 * refused with `InvalidValueError`, which names the argument, before anything is sent.
 */
export abstract class Repository<E extends object> {
  protected readonly em: EntityManager;
  protected readonly entity: EntityClass<E>;

  protected constructor(em: EntityManager, entity: EntityClass<E>) {
    this.em = em;
    this.entity = entity;
  }

  /** The row with this key, to be modified; null if none exists. */
  find(key: Primary<E>): Promise<E | null> {
    return findByKey(this.em, this.entity, key);
  }

  /**
   * The row with this key, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async get(key: Primary<E>): Promise<E> {
    return this.must(await this.find(key), key);
  }

  /**
   * Stages a new row. Without a key it is given one, which is there at once. A parent is given by its key or as an entity.
   */
  add(data: RequiredEntityData<E>): E {
    return this.em.create(this.entity, data, { persist: true });
  }

  /** Stages a row's removal. What dies with it is up to the database. */
  remove(entity: E): void {
    this.em.remove(entity);
  }

  /**
   * The row that `where` finds, to be modified; null if none exists. What was changed so far is flushed first.
   *
   * @throws ReadOnlyError when it is to be locked outside a transaction.
   */
  protected async one(
    where: FilterQuery<NoInfer<E>>,
    options: Pick<FindOneOptions<E>, 'orderBy' | 'lockMode' | 'lockTableAliases'> = {},
  ): Promise<E | null> {
    const locked = options.lockMode !== undefined;
    if (locked) this.mustBeInTransaction();
    await this.em.flush();
    // What is locked is changed next: on what the row holds now, not on what was loaded before the lock.
    return this.em.findOne(this.entity, where, { ...options, refresh: locked });
  }

  /**
   * The tables, for one statement of plain rows in this unit of work. What was changed so far is flushed first, so that the
   * statement sees it.
   */
  protected async rows(): Promise<Kysely<Tables>> {
    await this.em.flush();
    return this.em.getKysely<Tables>();
  }

  /**
   * The tables, for one statement that writes or locks. What was changed so far is flushed first, so that the statement sees it.
   *
   * @throws ReadOnlyError outside a transaction; nothing is sent.
   */
  protected async writing(): Promise<Kysely<Tables>> {
    this.mustBeInTransaction();
    return this.rows();
  }

  /** Puts questions about a read model to this unit of work. */
  protected ask<Shown, Given extends object, SortKey extends string>(
    model: ReadModel<Shown, Given, SortKey>,
  ): ReadModelReader<Shown, Given, SortKey> {
    return new ReadModelReader(this.em, model);
  }

  /**
   * Changes the row that `where` finds by one statement, and brings it up to date where it is loaded. The row's version goes up.
   *
   * @throws NotFoundError if it does not exist; ReadOnlyError outside a transaction.
   */
  protected async change(
    key: Primary<E>,
    where: FilterQuery<NoInfer<E>>,
    data: EntityData<E>,
  ): Promise<void> {
    await this.writing();
    if ((await this.em.nativeUpdate(this.entity, where, data)) === 0)
      throw new NotFoundError(this.entity.name, key);
    await this.reload(key);
  }

  /**
   * Brings a row that this unit of work has loaded up to date, after a statement that changed it, once, past the entity. What was changed
   * in the entity and not flushed stays.
   */
  protected async reload(key: Primary<E>): Promise<void> {
    const loaded = this.em.getUnitOfWork().getById(this.entity, key);
    if (!loaded) return;
    recordVersionIncrement(loaded);
    if (!(await readByKey(this.em, this.entity, key))) this.em.getUnitOfWork().unsetIdentity(loaded);
  }

  /** @throws ReadOnlyError outside a transaction: a write there could not be rolled back, and a lock would end at once. */
  protected mustBeInTransaction(): void {
    if (this.em.isInTransaction()) return;
    throw new ReadOnlyError(`${this.entity.name} would be written or locked outside \`transact\``);
  }

  /** @throws NotFoundError when `found` is nothing. */
  protected must<T>(found: T | null | undefined, key: unknown): T {
    if (found == null) throw new NotFoundError(this.entity.name, key);
    return found;
  }
}
