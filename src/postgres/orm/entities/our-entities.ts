import { EntitySchema, type EntityClass, type EntityMetadata } from '@mikro-orm/postgresql';
import * as exported from '../../../entities.ts';

/** The entities of src/entities.ts. */
export const ourEntities: readonly EntityClass<object>[] = Object.values(exported).filter(
  (one) => typeof one === 'function',
);

const classes: ReadonlySet<unknown> = new Set(ourEntities);
const tables: ReadonlySet<unknown> = new Set(
  ourEntities.map((entity) => EntitySchema.REGISTRY.get(entity)?.meta.tableName),
);

/** Whether an entity is one of ours. A service may have others in the same ORM, which follow its own rules. */
export function isOurs(meta: EntityMetadata): boolean {
  return classes.has(meta.class);
}

/** Whether a table is that of one of our entities. */
export function isOurTable(name: string): boolean {
  return tables.has(name);
}
