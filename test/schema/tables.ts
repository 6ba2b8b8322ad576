import type { EntityMetadata } from '@mikro-orm/postgresql';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';

const described = [...createOfflineOrm().getMetadata().getAll().values()].toSorted((a, b) =>
  a.tableName < b.tableName ? -1 : 1,
);

/** What the entities say of every table, join tables of the ORM's own included: parents before what refers to them. */
export const tables: readonly EntityMetadata[] = described.reduce(withParents, []);

function withParents(ordered: EntityMetadata[], meta: EntityMetadata): EntityMetadata[] {
  if (ordered.includes(meta)) return ordered;
  // By name: what a relation refers to is a copy.
  const parents = meta.relations
    .flatMap(({ targetMeta }) => described.find(({ tableName }) => tableName === targetMeta?.tableName) ?? [])
    .filter((parent) => parent !== meta);
  return [...parents.reduce(withParents, ordered), meta];
}
