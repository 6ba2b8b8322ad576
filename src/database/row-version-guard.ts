import {
  ChangeSetType,
  type ChangeSet,
  type EntityMetadata,
  type EventSubscriber,
  type FlushEventArgs,
} from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/postgresql';

/**
 * Makes flushes of several versioned rows safe. The ORM checks the versions of a batch by one `select` and then updates without
 * them, so that two flushes may pass the check together and one overwrites the other. Here the rows are locked before the check:
 * whoever comes second waits, then sees the new versions, and is refused. All flushes lock in one order, by table and key, so that
 * no two wait for each other.
 */
export class RowVersionGuard implements EventSubscriber {
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const changes = uow
      .getChangeSets()
      .filter(({ meta, type }) => meta.versionProperty && type === ChangeSetType.UPDATE);
    // A single row is updated with its version in the `where`.
    if (changes.length < 2) return;
    const tables = [...Map.groupBy(changes, ({ meta }) => meta)];
    for (const [meta, rows] of tables.toSorted(([a], [b]) => (a.tableName < b.tableName ? -1 : 1))) {
      await lock(em, meta, rows);
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
  // The lock of an update, which lets others write rows that point at these.
  await em.execute(
    `select 1 from "${meta.tableName}" where "${key}" in (?) order by "${key}" for no key update`,
    [keys],
  );
}
