import { ChangeSetType, type FlushEventArgs } from '@mikro-orm/core';
import { cascadeEffects, type CascadeEffects } from './cascade-effects.ts';
import { isOurs } from '../entities/our-entities.ts';
import type { BatchSubscriber } from '../../../guards/register-guard.ts';

/**
 * Applies the cascades of the database to the loaded rows when a flush deletes a row. The ORM ignores `on delete`: it clears the reference
 * in loaded rows, and the next flush would write that as a change of rows that no longer exist. Here, rows that a cascade deleted are
 * removed from the identity map. In rows whose reference was set to null, the reference is null and the version is incremented, as in the
 * database.
 */
export class CascadeGuard implements BatchSubscriber {
  readonly acceptsBatches = true;
  readonly #effects = new WeakMap<object, CascadeEffects[]>();

  // Before the ORM clears the references.
  onFlush({ em, uow }: FlushEventArgs): void {
    const removed = uow
      .getChangeSets()
      .filter(({ type, meta }) => type === ChangeSetType.DELETE && isOurs(meta));
    // Most flushes remove nothing, and the garbage collector has to search each entry.
    if (removed.length === 0 && !this.#effects.has(uow)) return;
    this.#effects.set(
      uow,
      removed.map(({ entity }) => cascadeEffects(uow, em.getMetadata(), entity)),
    );
  }

  afterFlush({ uow }: FlushEventArgs): void {
    const effects = this.#effects.get(uow) ?? [];
    for (const { deleted } of effects) for (const row of deleted) uow.unsetIdentity(row);
    for (const { row, property, versionProperty } of effects.flatMap(({ cleared }) => cleared)) {
      // The ORM compares the row with its snapshot at the next flush.
      const snapshot = uow.getOriginalEntityData(row);
      for (const values of [row, snapshot ?? {}]) Reflect.set(values, property, null);
      const version: unknown = Reflect.get(row, versionProperty);
      if (typeof version === 'number') Reflect.set(row, versionProperty, version + 1);
    }
  }
}
