import type { EntityMetadata } from '@mikro-orm/postgresql';
import { topologicalOrder } from '../loading/references/topological-order.ts';

/** Returns the entities so that each follows those that it references, so that they can be loaded in this order. */
export function parentsFirst(entities: readonly EntityMetadata[]): EntityMetadata[] {
  return topologicalOrder(
    entities.map((meta) => ({
      name: meta.className,
      // Rows of one table come together. By name: what a relation refers to is a copy.
      dependsOn: meta.relations
        .filter(({ fieldNames, persist }) => fieldNames?.length > 0 && persist !== false)
        .flatMap(({ targetMeta }) => targetMeta?.className ?? [])
        .filter((name) => name !== meta.className),
      meta,
    })),
  ).map(({ meta }) => meta);
}
