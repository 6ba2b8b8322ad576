import { Reference, UnitOfWork, wrap, type ChangeSet, type EntityManager } from '@mikro-orm/core';
import { isUnchanged } from '../../orm/entities/changed-values.ts';
import { planBatch } from './batch-flush.ts';
import { planInsert } from './insert-flush.ts';
import { runPlannedFlush, type PlannedFlush } from './planned-flush.ts';

/**
 * The ORM's unit of work, which looks for changes in those entities of ours only that are not as they were loaded, and flushes changes of many
 * rows of one table, and a single new row, without it. The ORM follows the relations of every loaded entity and converts all of its values several times, which takes
 * most of the time of a flush.
 */
export class ChangedEntities extends UnitOfWork {
  declare private readonly manager: EntityManager;
  declare private planned: PlannedFlush | undefined;
  declare private running: Promise<void> | undefined;
  declare private isCommittingByOrm: boolean | undefined;

  /** Makes the unit of work of `em` one. */
  static adopt(em: EntityManager): void {
    Object.assign(Object.setPrototypeOf(em.getUnitOfWork(false), ChangedEntities.prototype), { manager: em });
  }

  /** Whether something may have to be flushed. */
  get hasChanges(): boolean {
    if (this.getPersistStack().size + this.getRemoveStack().size > 0) return true;
    for (const entity of this.getIdentityMap()) if (!isUnchanged(entity)) return true;
    return false;
  }

  /** Removes an entity. Clears the references of loaded entities to it, also where the ORM, which looks for accessors, does not. */
  override unsetIdentity(entity: object): void {
    super.unsetIdentity(entity);
    const { __meta: removed } = wrap(entity, true);
    for (const { meta, prop } of removed.referencingProperties) {
      if (prop.primary) continue;
      for (const referrer of this.getIdentityMap().getStore(meta).values())
        if (Reference.unwrapReference<object>(Reflect.get(referrer, prop.name)) === entity)
          Reflect.set(referrer, prop.name, undefined);
    }
  }

  override computeChangeSets(): void {
    const loaded = this.getIdentityMap();
    if (hasFew(loaded)) return super.computeChangeSets();
    const entities = loaded[Symbol.iterator].bind(loaded);
    Object.defineProperty(loaded, Symbol.iterator, {
      configurable: true,
      *value() {
        for (const entity of entities()) if (!isUnchanged(entity)) yield entity;
      },
    });
    try {
      super.computeChangeSets();
    } finally {
      Reflect.deleteProperty(loaded, Symbol.iterator);
    }
  }

  /** The change sets of the running flush. */
  override getChangeSets(): ChangeSet<object>[] {
    return this.planned ? [...this.planned.changes] : super.getChangeSets();
  }

  /** The values that a planned flush writes for an entity, in the form of a snapshot. */
  valuesToWrite(entity: object): Record<string, unknown> | undefined {
    return this.planned?.values.get(entity);
  }

  override async commit(): Promise<void> {
    // The ORM queues a flush that begins during its own, and refuses one within it.
    if (this.isCommittingByOrm) return super.commit();
    while (this.running) await this.running.catch(() => {});
    const { manager } = this;
    const planned = this.getPersistStack().size === 1 ? planInsert(manager) : planBatch(manager);
    if (!planned) return this.commitByOrm();
    if (planned.changes.length === 0) return;
    this.planned = planned;
    this.running = runPlannedFlush(manager, planned);
    try {
      await this.running;
    } finally {
      this.planned = undefined;
      this.running = undefined;
    }
  }

  private async commitByOrm(): Promise<void> {
    this.isCommittingByOrm = true;
    try {
      await super.commit();
    } finally {
      this.isCommittingByOrm = false;
    }
  }
}

/** Returns whether the ORM compares the entities sooner than they could be left out. */
function hasFew(entities: Iterable<object>): boolean {
  let count = 0;
  for (const _ of entities) if (++count > 10) return false;
  return true;
}
