import {
  ChangeSetType,
  wrap,
  type ChangeSet,
  type EntityManager,
  type FlushEventArgs,
  type UnitOfWork,
} from '@mikro-orm/core';
import { keepStoredDigits } from '../../../json/shaped-json.ts';
import { ChangedEntities } from './changed-entities.ts';
import { MidFlushStaging } from './mid-flush-staging.ts';
import type { BatchSubscriber } from '../../../guards/register-guard.ts';

type Values = Record<string, unknown>;

/** The state of a manager's flushes. */
interface Flushes {
  readonly staging: MidFlushStaging;
  /** For each entity that the running flush updates: the values that it sends, and the snapshot before it. Undefined until it sends. */
  sent: Map<object, { readonly values: Values; readonly before: unknown }> | undefined;
}

const flushes = Symbol('flushes');

/** The unit of work of a manager that flushes by `flushKeepingChanges`. A `WeakMap` with an entry for each would slow down the garbage collector. */
type KeepingUnit = UnitOfWork & { [flushes]?: Flushes };

/**
 * Keeps changes that are made while a flush waits for the server, for the next flush. The ORM loses them: after a flush, it treats the current
 * values of an entity as the written ones, and clears the staged entities. Used together with `flushKeepingChanges`.
 */
export class MidFlushChanges implements BatchSubscriber {
  readonly acceptsBatches = true;
  /** Must run before subscribers that wait for the server, because it reads the values of the change sets from the entities. */
  onFlush({ em, uow }: FlushEventArgs): void {
    const changes = uow.getChangeSets();
    const { [flushes]: flush }: KeepingUnit = uow;
    if (!flush) return;
    // Also when there is nothing to send: the ORM clears the staged entities some turns later.
    flush.staging.begin();
    if (changes.length === 0) return;
    flush.sent = new Map();
    for (const change of changes) {
      const { entity, type } = change;
      if (type !== ChangeSetType.UPDATE && type !== ChangeSetType.UPDATE_EARLY) continue;
      const { __originalEntityData: before } = wrap(entity, true);
      flush.sent.set(entity, { values: valuesToWrite(em, change), before });
    }
  }
}

/** Returns the values that a flush writes for an entity, in the form of a snapshot. */
function valuesToWrite(em: EntityManager, change: ChangeSet<object>): Values {
  const uow = em.getUnitOfWork(false);
  const known = uow instanceof ChangedEntities ? uow.valuesToWrite(change.entity) : undefined;
  if (known) return known;
  // `JsonShapeGuard` does so later, and the values that are sent include these digits.
  keepStoredDigits(change);
  return em.getComparator().prepareEntity(change.entity);
}

/**
 * Runs the ORM's flush. Keeps changes that are made or staged meanwhile, and, when it fails, the entities that were staged. Returns whether it
 * sent a statement.
 */
export async function flushKeepingChanges(em: EntityManager, flush: () => Promise<void>): Promise<boolean> {
  const uow: KeepingUnit = em.getUnitOfWork(false);
  const running = (uow[flushes] ??= { staging: new MidFlushStaging(uow), sent: undefined });
  const restage = snapshotStaged(uow);
  try {
    await flush();
    return running.sent !== undefined;
  } catch (error) {
    restage?.();
    throw error;
  } finally {
    for (const [entity, { values, before }] of running.sent ?? [])
      keepMidFlushChanges(em, entity, values, before);
    running.sent = undefined;
  }
}

/** Returns the names of the entities that have unflushed changes. */
export function unflushedEntities(em: EntityManager): string[] {
  const uow = em.getUnitOfWork(false);
  if (uow instanceof ChangedEntities && !uow.hasChanges) return [];
  uow.computeChangeSets();
  return [...new Set(uow.getChangeSets().map(({ meta }) => meta.className))];
}

/** Makes values that were assigned during the flush count as changed. */
function keepMidFlushChanges(em: EntityManager, entity: object, values: Values, before: unknown): void {
  const { __meta: meta, __originalEntityData: snapshot } = wrap(entity, true);
  // The ORM makes a new snapshot when it has written the entity. With the old one, all values still count as changed.
  if (!snapshot || snapshot === before || snapshot === values) return;
  const late = em.getComparator().diffEntities<Values>(meta.class, values, snapshot);
  for (const key of Object.keys(late)) if (key in values) Reflect.set(snapshot, key, values[key]);
}

/** Returns a function that stages the currently staged entities again, unless a failed flush has written them; undefined without any. */
function snapshotStaged(uow: UnitOfWork): (() => void) | undefined {
  const [persist, remove] = [uow.getPersistStack(), uow.getRemoveStack()];
  if (persist.size + remove.size === 0) return undefined;
  const [added, removed] = [[...persist], [...remove]];
  return () => {
    for (const entity of removed) {
      const { __managed: isManaged } = wrap(entity, true);
      if (isManaged) remove.add(entity);
    }
    for (const entity of added) {
      const { __originalEntityData: isWritten } = wrap(entity, true);
      if (!isWritten && !remove.has(entity)) persist.add(entity);
    }
  };
}
