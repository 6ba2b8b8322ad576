import {
  ChangeSetType,
  type ChangeSet,
  type EntityMetadata,
  type EventSubscriber,
  type FlushEventArgs,
} from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/postgresql';

/**
 * Makes batches of versioned rows safe. The ORM checks their versions by one `select` and then updates without them, so that two
 * flushes may pass the check together and one overwrites the other. Here the rows are locked before the check, in the order of
 * their keys: whoever comes second waits, then sees the new versions, and is refused.
 */
export class RowVersionGuard implements EventSubscriber {
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const batches = new Map<EntityMetadata, ChangeSet<object>[]>();
    for (const change of uow.getChangeSets()) {
      if (!change.meta.versionProperty || change.type !== ChangeSetType.UPDATE) continue;
      batches.set(change.meta, [...(batches.get(change.meta) ?? []), change]);
    }
    for (const [meta, changes] of batches) {
      // A single row is updated with its version in the `where`.
      if (changes.length > 1) await lock(em, meta, changes);
    }
  }
}

async function lock(
  em: FlushEventArgs['em'],
  meta: EntityMetadata,
  changes: ChangeSet<object>[],
): Promise<void> {
  if (!(em instanceof SqlEntityManager) || !em.isInTransaction()) {
    throw new Error(`${meta.className} rows are versioned: change several of them inside \`transact\``);
  }
  const key = meta.getPrimaryProps()[0]?.fieldNames[0];
  const keys = changes.map((change) => change.getPrimaryKey());
  await em.execute(`select 1 from "${meta.tableName}" where "${key}" in (?) order by "${key}" for update`, [
    keys,
  ]);
}
