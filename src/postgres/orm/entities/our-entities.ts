import { EntitySchema, type EntityClass, type EntityMetadata } from '@mikro-orm/postgresql';
import * as exported from '../../../entity-list.ts';

/** The entities of src/entity-list.ts. */
export const ourEntities: readonly EntityClass<object>[] = Object.values(exported).filter(
  (one) => typeof one === 'function',
);

const classes: ReadonlySet<unknown> = new Set(ourEntities);
const tables: ReadonlySet<unknown> = new Set(
  ourEntities.map((entity) => EntitySchema.REGISTRY.get(entity)?.meta.tableName),
);

/** Returns whether an entity is one of this package. A service may have others in the same ORM, with its own rules. */
export function isOurs(meta: EntityMetadata): boolean {
  return classes.has(meta.class);
}

/** Returns whether a table is that of an entity of this package. */
export function isOurTable(name: string): boolean {
  return tables.has(name);
}
