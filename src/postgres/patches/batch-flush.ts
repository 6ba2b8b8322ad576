import {
  ChangeSet,
  ChangeSetType,
  EventType,
  JsonType,
  Reference,
  wrap,
  type EntityManager,
  type EntityMetadata,
} from '@mikro-orm/core';
import { acceptsBatches } from '../../guards/register-guard.ts';
import { comparableText } from '../../json/document-text.ts';
import { keepStoredDigits } from '../../json/shaped-json.ts';
import { BatchUpdateDriver } from '../orm/driver/batch-update-driver.ts';
import { isPlainParameter } from '../orm/driver/plain-values.ts';
import { changedValues, type StoredValues } from '../orm/entities/changed-values.ts';
import { isOurs } from '../orm/entities/our-entities.ts';

/** The changes of a flush that does nothing but change columns of loaded rows of one table. */
export interface Batch {
  readonly meta: EntityMetadata;
  readonly changes: readonly ChangeSet<object>[];
  /** For each changed entity, all of its values in the form of a snapshot. */
  readonly values: ReadonlyMap<object, StoredValues>;
}

/** Returns the changes to flush as a batch; null where only the ORM can flush: it has to insert or delete rows, or to change several tables. */
export function planBatch(em: EntityManager): Batch | null {
  const uow = em.getUnitOfWork(false);
  const staged = [
    uow.getPersistStack(),
    uow.getRemoveStack(),
    uow.getOrphanRemoveStack(),
    uow.getExtraUpdates(),
  ];
  if (staged.some(({ size }) => size > 0) || uow.getCollectionUpdates().length > 0) return null;
  const changed = new Map<object, StoredValues>();
  for (const entity of uow.getIdentityMap()) {
    const values = changedValues(entity);
    if (values === undefined) return null;
    if (values) changed.set(entity, values);
  }
  const [first] = changed.keys();
  if (!first || changed.size === 1) return null;
  const { __meta: meta } = wrap(first, true);
  return isSupported(em, meta) ? computeBatch(em, meta, changed) : null;
}

/** Returns whether rows of a table can be changed without the ORM's flush. */
function isSupported(em: EntityManager, meta: EntityMetadata): boolean {
  const driver = em.getDriver();
  const events = em.getEventManager();
  return (
    isOurs(meta) &&
    em.isInTransaction() &&
    driver instanceof BatchUpdateDriver &&
    driver.locksBatches(meta) &&
    meta.getOwnConcurrencyCheckKeys().length === 0 &&
    !meta.readonly &&
    !meta.root.inheritanceType &&
    Reflect.get(em, 'signal') === undefined &&
    Reflect.get(em, 'inflightQueryAbortStrategy') === undefined &&
    !events.hasListeners(EventType.beforeUpdate, meta) &&
    !events.hasListeners(EventType.afterUpdate, meta) &&
    [...events.getSubscribers()].every(acceptsBatches)
  );
}

function computeBatch(
  em: EntityManager,
  meta: EntityMetadata,
  changed: ReadonlyMap<object, StoredValues>,
): Batch | null {
  const apart = new Set<string>([...meta.primaryKeys, ...meta.uniqueProps.map(({ name }) => name)]);
  const changes: ChangeSet<object>[] = [];
  const values = new Map<object, StoredValues>();
  for (const [entity, stored] of changed) {
    const { __meta, __managed, __originalEntityData: snapshot } = wrap(entity, true);
    if (__meta !== meta || !__managed || !snapshot) return null;
    const payload = differences(meta, snapshot, stored);
    if (Object.keys(payload).length === 0) continue;
    // The ORM throws its own errors, inserts parents, and updates unique values in two steps.
    if (!isValid(meta, entity) || !hasManagedParents(meta, entity)) return null;
    const change: ChangeSet<object> = new ChangeSet(entity, ChangeSetType.UPDATE, payload, meta);
    change.originalEntity = snapshot;
    callOnUpdate(em, change, stored);
    keepStoredDigits(change);
    for (const { name, customType } of meta.comparableProps)
      if (name in payload && customType instanceof JsonType && stored[name] !== null)
        stored[name] = comparableText(Reflect.get(entity, name));
    for (const [name, value] of Object.entries(payload))
      if (apart.has(name) || !isPlainParameter(value)) return null;
    changes.push(change);
    values.set(entity, stored);
  }
  return changes.length > 1 ? { meta, changes, values } : null;
}

/** Returns the values that differ from a snapshot. */
function differences(meta: EntityMetadata, snapshot: StoredValues, stored: StoredValues): StoredValues {
  const payload: StoredValues = {};
  for (const { name, customType } of meta.comparableProps) {
    const [was, now] = [snapshot[name], stored[name]];
    if (was === now || (was !== null && now !== null && customType?.compareValues?.(was, now))) continue;
    payload[name] = now;
  }
  return payload;
}

/** Returns whether the ORM's validation accepts the values of an entity. */
function isValid(meta: EntityMetadata, entity: object): boolean {
  return meta.validateProps.every(({ name, enum: isEnum, items, runtimeType }) => {
    const value: unknown = Reflect.get(entity, name);
    if (value === null || value === undefined) return true;
    if (isEnum && items) return items.some((item) => item === value);
    return typeof value === runtimeType;
  });
}

function hasManagedParents(meta: EntityMetadata, entity: object): boolean {
  return meta.relations.every(({ name }) => {
    const parent: unknown = Reference.unwrapReference<object>(Reflect.get(entity, name));
    if (parent === null || parent === undefined) return true;
    if (typeof parent !== 'object') return false;
    const { __managed: isManaged }: { __managed?: unknown } = wrap(parent, true);
    return isManaged === true;
  });
}

function callOnUpdate(
  em: EntityManager,
  { entity, meta, payload }: ChangeSet<object>,
  stored: StoredValues,
): void {
  for (const { name, onUpdate, customType } of meta.hydrateProps) {
    if (!onUpdate) continue;
    const value: unknown = onUpdate(entity, em);
    Reflect.set(entity, name, value);
    stored[name] = customType ? customType.convertToDatabaseValue(value, em.getPlatform()) : value;
    Reflect.set(payload, name, stored[name]);
  }
}

/**
 * Flushes a batch: calls the subscribers as the ORM does, updates the rows, and makes their values the snapshots.
 *
 * @throws as the ORM's flush.
 */
export async function flushBatch(em: EntityManager, batch: Batch): Promise<void> {
  const uow = em.getUnitOfWork(false);
  const events = em.getEventManager();
  const markProcessing = (isProcessing: boolean): void => {
    for (const { entity } of batch.changes) Object.assign(wrap(entity, true), { __processing: isProcessing });
  };
  try {
    await events.dispatchEvent(EventType.beforeFlush, { em, uow });
    markProcessing(true);
    await events.dispatchEvent(EventType.onFlush, { em, uow });
    await updateRows(em, batch);
    for (const [entity, written] of batch.values)
      Object.assign(wrap(entity, true), { __originalEntityData: written });
    markProcessing(false);
    await events.dispatchEvent(EventType.afterFlush, { em, uow });
  } finally {
    markProcessing(false);
    // What was staged meanwhile is kept for the next flush by `MidFlushStaging`.
    for (const stack of [uow.getPersistStack(), uow.getRemoveStack(), uow.getOrphanRemoveStack()])
      stack.clear();
    uow.clearActionsQueue();
  }
}

async function updateRows(em: EntityManager, { meta, changes }: Batch): Promise<void> {
  const driver = em.getDriver();
  if (!(driver instanceof BatchUpdateDriver)) throw new TypeError('the ORM has another driver');
  const size = em.config.get('batchSize');
  const { versionProperty } = meta;
  const [keyColumn = ''] = meta.getPrimaryProp().fieldNames;
  const [versionColumn = ''] = meta.props.find(({ version }) => version)?.fieldNames ?? [];
  const schema = changes[0]?.schema;
  const options = {
    ctx: em.getTransactionContext(),
    ...(schema !== undefined && { schema }),
    loggerContext: { id: em.id, ...em.getLoggerContext({ disableContextResolution: true }) },
  };
  for (let start = 0; start < changes.length; start += size) {
    const chunk = new Map(
      changes.slice(start, start + size).map((change) => [String(change.getPrimaryKey()), change]),
    );
    const versions = new Map<unknown, number>();
    for (const [key, { entity }] of chunk) {
      const version: unknown = Reflect.get(entity, versionProperty);
      if (typeof version === 'number') versions.set(key, version);
    }
    const payloads = Array.from(chunk.values(), ({ payload }) => payload);
    const result = await driver.updateBatch(meta, [...chunk.keys()], versions, payloads, options);
    if (!result) throw new TypeError('a value is not plain, though it was when the flush began');
    for (const row of result.rows ?? []) {
      const change = chunk.get(String(Reflect.get(row, keyColumn)));
      const version: unknown = Reflect.get(row, versionColumn);
      if (change)
        for (const written of [change.entity, change.payload]) Reflect.set(written, versionProperty, version);
    }
  }
}
