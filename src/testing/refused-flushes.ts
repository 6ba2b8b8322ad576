import type { EntityManager, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';

/** Records for each entity manager whether its last flush was refused: the ORM has no event for it, but omits `afterFlush`. */
export class RefusedFlushes implements EventSubscriber {
  readonly #unfinished = new WeakSet<EntityManager>();

  beforeFlush({ em }: FlushEventArgs): void {
    this.#unfinished.add(em);
  }

  afterFlush({ em }: FlushEventArgs): void {
    this.#unfinished.delete(em);
  }

  has(em: EntityManager): boolean {
    return this.#unfinished.has(em);
  }
}
