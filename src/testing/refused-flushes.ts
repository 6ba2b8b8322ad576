import type { EntityManager, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';

const isUnfinished = Symbol('isUnfinished');

/** A `WeakSet` of them would slow down the garbage collector. */
type Marked = EntityManager & { [isUnfinished]?: boolean };

/** Records for each entity manager whether its last flush was refused: the ORM has no event for it, but omits `afterFlush`. */
export class RefusedFlushes implements EventSubscriber {
  /** See `BatchSubscriber`. */
  readonly acceptsBatches = true;

  beforeFlush({ em }: FlushEventArgs): void {
    const marked: Marked = em;
    marked[isUnfinished] = true;
  }

  afterFlush({ em }: FlushEventArgs): void {
    const marked: Marked = em;
    marked[isUnfinished] = false;
  }

  has(em: EntityManager): boolean {
    const marked: Marked = em;
    return marked[isUnfinished] === true;
  }
}
