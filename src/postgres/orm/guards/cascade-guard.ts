import { ChangeSetType, wrap, type EventSubscriber, type FlushEventArgs } from '@mikro-orm/core';
import { deletedAlong } from './deleted-along.ts';
import { isOurs } from '../entities/our-entities.ts';

/**
 * Keeps a unit of work in step with what the database does to loaded rows when a flush deletes one that they point at. The ORM knows
 * nothing of `on delete`: it takes the reference from those rows in memory, and the next flush would write that as a change, of rows
 * that are gone. Here rows that were deleted along are forgotten, and those that were left pointing at nothing say so, with
 * the version that the database raised.
 */
export class CascadeGuard implements EventSubscriber {
  readonly #following = new WeakMap<object, ReturnType<typeof deletedAlong>[]>();

  // While the references are still there to be followed.
  onFlush({ em, uow }: FlushEventArgs): void {
    const removed = uow
      .getChangeSets()
      .filter(({ type, meta }) => type === ChangeSetType.DELETE && isOurs(meta));
    this.#following.set(
      uow,
      removed.map(({ entity }) => deletedAlong(uow, em.getMetadata(), entity)),
    );
  }

  afterFlush({ uow }: FlushEventArgs): void {
    const followed = this.#following.get(uow) ?? [];
    for (const { deleted } of followed) for (const row of deleted) uow.unsetIdentity(row);
    for (const [row, property] of followed.flatMap(({ cleared }) => cleared)) {
      // The snapshot is what the ORM compares the row with at the next flush.
      const { __originalEntityData: snapshot, __meta: meta } = wrap(row, true);
      for (const values of [row, snapshot ?? {}]) Reflect.set(values, property, null);
      const version: unknown = Reflect.get(row, meta.versionProperty);
      if (typeof version === 'number') Reflect.set(row, meta.versionProperty, version + 1);
    }
  }
}
