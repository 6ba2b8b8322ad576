import type { EntityManager, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';

/** Knows of each entity manager whether its last flush was refused. The ORM has no event for that, but omits `afterFlush`. */
export class RefusedFlushes implements EventSubscriber {
  readonly #begun = new WeakSet<EntityManager>();

  beforeFlush({ em }: FlushEventArgs): void {
    this.#begun.add(em);
  }

  afterFlush({ em }: FlushEventArgs): void {
    this.#begun.delete(em);
  }

  has(em: EntityManager): boolean {
    return this.#begun.has(em);
  }
}
