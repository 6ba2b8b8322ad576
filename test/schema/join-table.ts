import type { EntityMetadata } from '@mikro-orm/core';

/** Whether an entity is a join table: its key consists of several relations. */
export function isJoinTable({ properties }: EntityMetadata): boolean {
  const key = Object.values(properties).filter(({ primary }) => primary);
  return key.length > 1 && key.every(({ entity }) => entity !== undefined);
}
