import { UsageError } from 'mikro-orm-safe-migrations/cli';
import type { EntityManager, EntityMetadata } from '@mikro-orm/postgresql';

/** Returns the entity of this name, as a command line gives it. @throws UsageError, with the names of all, for an unknown one. */
export function entityNamed(em: EntityManager, name: string): EntityMetadata {
  const all = [...em.getMetadata().getAll().values()];
  const found = all.find(({ className }) => className === name);
  if (found) return found;
  const known = all.map(({ className }) => className).toSorted();
  throw new UsageError(`unknown entity "${name}"; expected one of: ${known.join(', ')}`);
}
