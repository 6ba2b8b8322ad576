import type { EntityManager } from '@mikro-orm/postgresql';
import { ReadModelReader } from '../read-model/read-model-reader.ts';
import type { ReadModel } from '../read-model/read-model.ts';

/** The base of a repository of a legacy table. It returns rows and no entities, so that nothing can be changed through it. */
export abstract class LegacyReader {
  readonly #em: EntityManager;

  constructor(em: EntityManager) {
    this.#em = em;
  }

  /** Returns the reader of a read model in this unit of work. */
  protected read<Shown, Given extends object, SortKey extends string>(
    model: ReadModel<Shown, Given, SortKey>,
  ): ReadModelReader<Shown, Given, SortKey> {
    return new ReadModelReader(this.#em, model);
  }
}
