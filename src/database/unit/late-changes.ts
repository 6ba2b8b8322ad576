import {
  ChangeSetType,
  wrap,
  type EntityManager,
  type EventSubscriber,
  type FlushEventArgs,
  type UnitOfWork,
} from '@mikro-orm/core';

type Values = Record<string, unknown>;

interface Staging {
  /** What the flush that runs sends of each entity that it updates. */
  sent: Map<object, { readonly values: Values; readonly before: unknown }> | undefined;
  readonly restart: () => void;
}

const stagings = new WeakMap<UnitOfWork, Staging>();

/**
 * What is staged or changed while a flush waits for the server is not part of it. The ORM forgets it: it takes the values that an
 * entity has after the flush for those that were written, and empties what was staged meanwhile. Here it is kept for the next flush.
 */
export class LateChanges implements EventSubscriber {
  /** Has to come before subscribers that send something: it looks at what the change sets were made of. */
  onFlush({ em, uow }: FlushEventArgs): void {
    const changes = uow.getChangeSets();
    if (changes.length === 0) return;
    let staging = stagings.get(uow);
    if (!staging) stagings.set(uow, (staging = { sent: undefined, restart: keepStaged(uow) }));
    staging.restart();
    staging.sent = new Map();
    for (const { entity, type } of changes) {
      if (type === ChangeSetType.UPDATE || type === ChangeSetType.UPDATE_EARLY)
        staging.sent.set(entity, {
          values: em.getComparator().prepareEntity(entity) as Values,
          before: wrap(entity, true).__originalEntityData,
        });
    }
  }
}

/** Flushes without a loss of what is changed or staged meanwhile, or, when it fails, of what was staged before. */
export async function flushKeeping(em: EntityManager, flush: () => Promise<void>): Promise<void> {
  const uow = em.getUnitOfWork(false);
  const putBack = rememberStaged(uow);
  try {
    await flush();
  } catch (error) {
    putBack?.();
    throw error;
  } finally {
    const staging = stagings.get(uow);
    if (staging?.sent) {
      for (const [entity, { values, before }] of staging.sent) keepLate(em, entity, values, before);
      staging.sent = undefined;
    }
  }
}

function keepLate(em: EntityManager, entity: object, values: Values, before: unknown): void {
  const { __meta: meta, __originalEntityData: snapshot } = wrap(entity, true);
  // The ORM makes a new one of what it wrote; before that, all still counts as changed.
  if (!snapshot || snapshot === before) return;
  const late = em.getComparator().diffEntities(meta.class, values as never, snapshot as never);
  for (const key of Object.keys(late)) if (key in values) Reflect.set(snapshot, key, values[key]);
}

/** Keeps what is staged during a flush, which would be emptied with the rest. Gives what is to be called when one begins. */
function keepStaged(uow: UnitOfWork): () => void {
  const restarts: (() => void)[] = [];
  for (const stack of [uow.getPersistStack(), uow.getRemoveStack()]) {
    const late = new Set<object>();
    let flushes = false;
    restarts.push(() => {
      flushes = true;
      late.clear();
    });
    const { add, delete: remove, clear } = stack;
    Object.assign(stack, {
      add(entity: object) {
        if (flushes) late.add(entity);
        return add.call(stack, entity);
      },
      delete(entity: object) {
        late.delete(entity);
        return remove.call(stack, entity);
      },
      clear() {
        clear.call(stack);
        flushes = false;
        for (const entity of late) add.call(stack, entity);
        late.clear();
      },
    });
  }
  return () => {
    for (const restart of restarts) restart();
  };
}

/** What is staged at the moment; the function puts it back, after a flush that failed before it was written. */
function rememberStaged(uow: UnitOfWork): (() => void) | undefined {
  const [persist, remove] = [uow.getPersistStack(), uow.getRemoveStack()];
  if (persist.size + remove.size === 0) return undefined;
  const [added, removed] = [[...persist], [...remove]];
  return () => {
    for (const entity of removed) if (wrap(entity, true).__managed) remove.add(entity);
    for (const entity of added)
      if (!wrap(entity, true).__originalEntityData && !remove.has(entity)) persist.add(entity);
  };
}
