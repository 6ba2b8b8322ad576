import type { EntityManager } from '@mikro-orm/postgresql';
import { ReadModelReader } from '../read-model/read-model-reader.ts';
import type { ReadModel } from '../read-model/read-model.ts';

/** What a repository of a legacy table has: rows to read. It returns no entity, so that nothing can be changed through it. */
export abstract class LegacyReader {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Puts questions about a read model to this unit of work. */
  protected ask<Shown, Given extends object, SortKey extends string>(
    model: ReadModel<Shown, Given, SortKey>,
  ): ReadModelReader<Shown, Given, SortKey> {
    return new ReadModelReader(this.#em, model);
  }
}
