import type {
  EntityClass,
  EntityManager,
  FilterQuery,
  Primary,
  RequiredEntityData,
} from '@mikro-orm/postgresql';
import { NotFoundError } from '../errors.ts';

/** What every repository can do. Nothing here writes: the unit of work does, when it ends. */
export abstract class Repository<E extends object> {
  protected readonly em: EntityManager;
  protected readonly entity: EntityClass<E>;

  protected constructor(em: EntityManager, entity: EntityClass<E>) {
    this.em = em;
    this.entity = entity;
  }

  /** The row with this key, or null. */
  find(key: Primary<E>): Promise<E | null> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key is a filter; the ORM's types can't tell for a type parameter
    return this.em.findOne(this.entity, key as FilterQuery<NoInfer<E>>);
  }

  /**
   * The row with this key.
   *
   * @throws NotFoundError
   */
  async get(key: Primary<E>): Promise<E> {
    const found = await this.find(key);
    if (!found) throw new NotFoundError(this.entity.name, key);
    return found;
  }

  /** Stages a new row. Without a key it is given one, which is there at once. */
  add(data: RequiredEntityData<E>): E {
    return this.em.create(this.entity, data, { persist: true });
  }

  /** Stages a row's removal. What dies with it is up to the database. */
  remove(entity: E): void {
    this.em.remove(entity);
  }
}
