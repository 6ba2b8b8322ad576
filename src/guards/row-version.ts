import {
  ChangeSetType,
  IntegerType,
  OptimisticLockError,
  wrap,
  type ChangeSet,
  type EntityMetadata,
  type EntityProperty,
  type FlushEventArgs,
  type Platform,
} from '@mikro-orm/core';
import { SqlEntityManager } from '@mikro-orm/postgresql';
import { registerGuard, type BatchSubscriber } from './register-guard.ts';

/** The type of a row's version. It registers `RowVersionGuard` in every ORM with such a column. */
export class RowVersion extends IntegerType {
  override getColumnType(property: EntityProperty, platform: Platform): string {
    registerGuard(platform, RowVersionGuard);
    return super.getColumnType(property, platform);
  }
}

/**
 * Completes the ORM's optimistic lock. The ORM compares the versions of a batch by one `select` and then updates without them, so that two
 * concurrent flushes can both pass, and one overwrites the other. It deletes without comparing versions. Here the rows are locked first:
 * the second flush waits, sees the new versions, and is refused. All flushes lock in the order of tables and keys, so that they can't
 * deadlock.
 */
class RowVersionGuard implements BatchSubscriber {
  readonly acceptsBatches = true;
  /** @throws OptimisticLockError when a row to remove was changed or removed since it was read. */
  async onFlush({ em, uow }: FlushEventArgs): Promise<void> {
    const versioned = uow.getChangeSets().filter(({ meta }) => versionOf(meta));
    const changes = versioned.filter(({ type }) => type === ChangeSetType.UPDATE);
    const removals = versioned.filter(({ type }) => type === ChangeSetType.DELETE);
    // A single row is updated with its version in the `where`.
    if (changes.length < 2 && removals.length === 0) return;
    const tables = [...Map.groupBy([...changes, ...removals], ({ meta }) => meta)];
    const [[meta] = []] = tables;
    if (!(em instanceof SqlEntityManager) || !em.isInTransaction()) {
      throw new Error(
        `${meta?.className} rows are versioned: change or remove them in a transaction (\`transact\`, or \`em.transactional\`)`,
      );
    }
    if (removals.length === 0 && locksBatch(em, tables)) return;
    for (const [table, rows] of tables.toSorted(([a], [b]) => (a.tableName < b.tableName ? -1 : 1))) {
      const versions = await lockRows(em, table, rows);
      for (const row of rows) if (row.type === ChangeSetType.DELETE) checkVersion(row, versions);
    }
  }
}

/** Returns whether one statement of the driver updates all rows, and locks them in the order of their keys. */
function locksBatch(
  em: SqlEntityManager,
  [table, ...others]: readonly (readonly [EntityMetadata, readonly unknown[]])[],
): boolean {
  if (!table || others.length > 0) return false;
  const [meta, rows] = table;
  if (rows.length > em.config.get('batchSize')) return false;
  const driver: object & { locksBatches?: (meta: EntityMetadata) => boolean } = em.getDriver();
  return driver.locksBatches?.(meta) ?? false;
}

/** Locks the rows. Returns the versions of those that still exist, by their keys as JSON. */
async function lockRows(
  em: SqlEntityManager,
  meta: EntityMetadata,
  rows: readonly ChangeSet<object>[],
): Promise<Map<string, number>> {
  const columns = meta.getPrimaryProps().flatMap(({ fieldNames }) => fieldNames);
  const key = columns.map((column) => `"${column}"`).join(', ');
  const [version] = versionOf(meta)?.fieldNames ?? [];
  // `no key update` allows other transactions to write rows that reference these. A deletion needs the stronger lock.
  const strength = rows.some(({ type }) => type === ChangeSetType.DELETE) ? 'update' : 'no key update';
  const keys = rows.map(() => `(${columns.map(() => '?').join(', ')})`).join(', ');
  const found = await em.execute<Record<string, unknown>[]>(
    `select ${key}, "${version}" as "version found" from "${meta.tableName}" where (${key}) in (${keys}) order by ${key} for ${strength}`,
    rows.flatMap(keyOf),
  );
  return new Map(
    found.map((row) => [JSON.stringify(columns.map((column) => row[column])), Number(row['version found'])]),
  );
}

/** Returns the values of the columns of a row's key. */
function keyOf(row: ChangeSet<object>): unknown[] {
  return wrap(row.entity, true).getPrimaryKeys() ?? [];
}

function versionOf(meta: EntityMetadata): EntityProperty | undefined {
  return meta.props.find(({ customType }) => customType instanceof RowVersion);
}

function checkVersion(removal: ChangeSet<object>, versions: ReadonlyMap<string, number>): void {
  const seen: unknown = Reflect.get(removal.entity, removal.meta.versionProperty);
  // A reference that was never loaded has no version to compare.
  if (seen === undefined || seen === versions.get(JSON.stringify(keyOf(removal)))) return;
  throw OptimisticLockError.lockFailed(removal.entity);
}
