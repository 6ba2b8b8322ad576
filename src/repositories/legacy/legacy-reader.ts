import type { EntityManager, Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../../entities/tables.ts';

/** What a repository of a legacy table has: rows to read. It hands out no entity, so that nothing can be changed through it. */
export abstract class LegacyReader {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** The tables, for one statement in this unit of work. What was changed so far is flushed first, so that the statement sees it. */
  protected async rows(): Promise<Kysely<Tables>> {
    await this.#em.flush();
    return this.#em.getKysely<Tables>();
  }
}
