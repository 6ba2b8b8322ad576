import {
  ChangeSetType,
  IntegerType,
  OptimisticLockError,
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type EventSubscriber,
  type FlushEventArgs,
  type Platform,
} from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/postgresql';
import { bringGuard } from './bring-guard.ts';

/** The type of a row's version. It brings `RowVersionGuard` to every ORM that has such a column. */
export class RowVersion extends IntegerType {
  override getColumnType(property: EntityProperty, platform: Platform): string {
    bringGuard(platform, RowVersionGuard);
    return super.getColumnType(property, platform);
  }
}

/**
 * Makes flushes of versioned rows safe where the ORM does not. It checks the versions of a batch by one `select` and then updates
 * without them, so that two flushes may pass the check together and one overwrites the other; and it deletes without a look at the
 * version. Here the rows are locked first: whoever comes second waits, then sees the new versions, and is refused. All flushes lock
 * in one order, by table and key, so that no two wait for each other.
 */
class RowVersionGuard implements EventSubscriber {
  /** @throws OptimisticLockError when a row that is to be removed was changed, or removed, since it was read. */
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const versioned = uow.getChangeSets().filter(({ meta }) => versionOf(meta));
    const changes = versioned.filter(({ type }) => type === ChangeSetType.UPDATE);
    const removals = versioned.filter(({ type }) => type === ChangeSetType.DELETE);
    // A single row is updated with its version in the `where`.
    if (changes.length < 2 && removals.length === 0) return;
    const tables = [...Map.groupBy([...changes, ...removals], ({ meta }) => meta)];
    for (const [meta, rows] of tables.toSorted(([a], [b]) => (a.tableName < b.tableName ? -1 : 1))) {
      const versions = await lock(em, meta, rows);
      for (const row of rows) if (row.type === ChangeSetType.DELETE) check(row, versions);
    }
  }
}

/** Locks the rows, and gives the version of each that is still there, by its key. */
async function lock(
  em: FlushEventArgs['em'],
  meta: EntityMetadata,
  rows: ChangeSet<object>[],
): Promise<Map<unknown, number>> {
  if (!(em instanceof SqlEntityManager) || !em.isInTransaction()) {
    throw new Error(
      `${meta.className} rows are versioned: change or remove them in a transaction (\`transact\`, or \`em.transactional\`)`,
    );
  }
  const [key] = meta.getPrimaryProp().fieldNames;
  const [version] = versionOf(meta)?.fieldNames ?? [];
  // The lock of an update lets others write rows that point at these; that of a deletion does not.
  const strength = rows.some(({ type }) => type === ChangeSetType.DELETE) ? 'update' : 'no key update';
  const found = await em.execute<{ key: unknown; version: number }[]>(
    `select "${key}" as key, "${version}" as version from "${meta.tableName}" where "${key}" in (?) order by "${key}" for ${strength}`,
    [rows.map((row) => row.getPrimaryKey())],
  );
  return new Map(found.map((row) => [row.key, row.version]));
}

function versionOf(meta: EntityMetadata): EntityProperty | undefined {
  return meta.props.find(({ customType }) => customType instanceof RowVersion);
}

function check(removal: ChangeSet<object>, versions: Map<unknown, number>): void {
  const seen: unknown = Reflect.get(removal.entity, removal.meta.versionProperty);
  // Of a mere reference nothing was seen that another could have changed.
  if (seen === undefined || seen === versions.get(removal.getPrimaryKey())) return;
  throw OptimisticLockError.lockFailed(removal.entity);
}
