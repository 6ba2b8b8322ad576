import {
  ChangeSetType,
  wrap,
  type EntityManager,
  type EventSubscriber,
  type FlushEventArgs,
  type UnitOfWork,
} from '@mikro-orm/core';
import { keepStoredDigits } from '../../json/shaped-json.ts';
import { ChangedEntities } from './changed-entities.ts';
import { MidFlushStaging } from './mid-flush-staging.ts';

type Values = Record<string, unknown>;

/** The flushes of a manager. */
interface Flushes {
  readonly staging: MidFlushStaging;
  /** Of each entity that the running one updates: the values that it sends, and the snapshot from before. Undefined until it sends. */
  sent: Map<object, { readonly values: Values; readonly before: unknown }> | undefined;
}

// Of managers that flush by `flushKeepingChanges`.
const flushes = new WeakMap<UnitOfWork, Flushes>();

/**
 * What is changed or staged while a flush waits for the server is not part of it. The ORM loses it: it takes the values that an entity has
 * after the flush for those that were written, and empties what is staged. Together with `flushKeepingChanges`, it is left for the next flush.
 */
export class MidFlushChanges implements EventSubscriber {
  /** Has to come before subscribers that wait for the server: it reads what the change sets were made of. */
  onFlush({ em, uow }: FlushEventArgs): void {
    const changes = uow.getChangeSets();
    const flush = flushes.get(uow);
    if (!flush) return;
    // Also when there is nothing to send: the ORM empties what is staged some turns later.
    flush.staging.begin();
    if (changes.length === 0) return;
    flush.sent = new Map();
    for (const change of changes) {
      const { entity, type } = change;
      if (type !== ChangeSetType.UPDATE && type !== ChangeSetType.UPDATE_EARLY) continue;
      // As the guard of documents does later: its digits are among what is sent.
      keepStoredDigits(change);
      const { __originalEntityData: before } = wrap(entity, true);
      flush.sent.set(entity, { values: em.getComparator().prepareEntity(entity), before });
    }
  }
}

/** Runs the ORM's flush without a loss of what is changed or staged meanwhile, or was staged when it fails. Returns whether it sent something. */
export async function flushKeepingChanges(em: EntityManager, flush: () => Promise<void>): Promise<boolean> {
  const uow = em.getUnitOfWork(false);
  let running = flushes.get(uow);
  if (!running) flushes.set(uow, (running = { staging: new MidFlushStaging(uow), sent: undefined }));
  const restage = rememberStaged(uow);
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

/** Returns the names of the entities that have changes which no flush has written. */
export function unflushedEntities(em: EntityManager): string[] {
  const uow = em.getUnitOfWork(false);
  if (uow instanceof ChangedEntities && !uow.hasChanges) return [];
  uow.computeChangeSets();
  return [...new Set(uow.getChangeSets().map(({ meta }) => meta.className))];
}

/** Has values that were assigned during the flush count as changed. */
function keepMidFlushChanges(em: EntityManager, entity: object, values: Values, before: unknown): void {
  const { __meta: meta, __originalEntityData: snapshot } = wrap(entity, true);
  // The ORM makes a new one when it has written the entity. With the old one, all still counts as changed.
  if (!snapshot || snapshot === before) return;
  const late = em.getComparator().diffEntities<Values>(meta.class, values, snapshot);
  for (const key of Object.keys(late)) if (key in values) Reflect.set(snapshot, key, values[key]);
}

/** Returns what stages again what is staged now, after a flush that failed before it was written. */
function rememberStaged(uow: UnitOfWork): (() => void) | undefined {
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
