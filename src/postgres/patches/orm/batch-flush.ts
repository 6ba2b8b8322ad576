import {
  ChangeSet,
  ChangeSetType,
  EventType,
  JsonType,
  wrap,
  type EntityManager,
  type EntityMetadata,
} from '@mikro-orm/core';
import { comparableText } from '../../../json/document-text.ts';
import { keepStoredDigits } from '../../../json/shaped-json.ts';
import { BatchUpdateDriver } from '../../orm/driver/batch-update-driver.ts';
import { isPlainParameter } from '../../orm/driver/plain-values.ts';
import { changedValues, type StoredValues } from '../../orm/entities/changed-values.ts';
import { acceptPlans, canPlan, hasManagedParents, hasRemovals, type PlannedFlush } from './planned-flush.ts';

const updateEvents = [EventType.beforeUpdate, EventType.afterUpdate];

const nothing: PlannedFlush = { changes: [], values: new Map(), write: () => Promise.resolve() };

/** Plans a flush that changes nothing, or nothing but columns of several loaded rows of one table; null for any other. */
export function planBatch(em: EntityManager): PlannedFlush | null {
  const uow = em.getUnitOfWork(false);
  if (uow.getPersistStack().size > 0 || hasRemovals(uow)) return null;
  const changed = new Map<object, StoredValues>();
  for (const entity of uow.getIdentityMap()) {
    const values = changedValues(entity);
    if (values === undefined) return null;
    if (values) changed.set(entity, values);
  }
  const [first] = changed.keys();
  if (!first) return acceptPlans(em) ? nothing : null;
  if (changed.size === 1) return null;
  const { __meta: meta } = wrap(first, true);
  return canPlan(em, meta, updateEvents) ? computeBatch(em, meta, changed) : null;
}

function computeBatch(
  em: EntityManager,
  meta: EntityMetadata,
  changed: ReadonlyMap<object, StoredValues>,
): PlannedFlush | null {
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
  if (changes.length < 2) return null;
  return { changes, values, write: () => updateRows(em, meta, changes) };
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

async function updateRows(
  em: EntityManager,
  meta: EntityMetadata,
  changes: readonly ChangeSet<object>[],
): Promise<void> {
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
