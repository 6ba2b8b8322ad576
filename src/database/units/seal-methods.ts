import type { EntityManager } from '@mikro-orm/postgresql';
import { Repository } from '../../repositories/repository.ts';
import { isOurs } from '../../postgres/orm/entities/our-entities.ts';
import { DataErrorEntityManager } from '../../postgres/orm/data-errors/data-error-entity-manager.ts';
import { gatedRepository } from './gated-repository.ts';
import { sealedStream } from './sealed-stream.ts';
import type { UnitGate } from './unit-gate.ts';

/** Calls that send statements. */
const calls = [
  'callRoutine',
  'clone',
  'count',
  'countBy',
  'execute',
  'find',
  'findAll',
  'findAndCount',
  'findByCursor',
  'findOne',
  'findOneOrFail',
  'insert',
  'insertMany',
  'lock',
  'nativeDelete',
  'nativeUpdate',
  'populate',
  'upsert',
  'upsertMany',
] as const;

/** Calls that stage a change for the next flush. */
const staging = ['create', 'persist', 'remove'] as const;

type Method = (...given: unknown[]) => unknown;

/** An entity manager that may belong to a unit of work. */
interface Sealable extends EntityManager {
  readonly gate: UnitGate | undefined;
}

/** Makes the methods of a prototype pass the gate of the unit of work that a manager belongs to. */
export function sealMethods(prototype: Sealable): void {
  for (const name of calls)
    seal(prototype, name, (gate, start) => gate.call(`em.${name}`, async () => start()));
  for (const name of staging)
    seal(prototype, name, (gate, start) => {
      gate.check(`em.${name}`);
      return start();
    });
  seal(prototype, 'stream', (gate, start) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the ORM returns
    return sealedStream(gate, 'em.stream', start() as AsyncGenerator);
  });
  seal(prototype, 'refresh', (gate, start, manager, [entity, options]) =>
    gate.call('em.refresh', async () =>
      isManaged(manager, entity) ? refreshKeepingChanges(manager, entity, options) : start(),
    ),
  );
  seal(prototype, 'getRepository', (gate, start) => {
    const repository = start();
    return repository instanceof Repository
      ? gatedRepository(gate, repository.constructor.name, repository)
      : repository;
  });
}

function isManaged(manager: Sealable, entity: unknown): entity is object {
  if (typeof entity !== 'object' || entity === null) return false;
  const meta = manager.getMetadata().find(entity.constructor);
  if (!meta || !isOurs(meta)) return false;
  return manager.getUnitOfWork(false).getIdentityMap().getByEntity(entity) === entity;
}

/** Refreshes an entity, and keeps unflushed changes, which the ORM's `refresh` overwrites. */
async function refreshKeepingChanges(
  manager: Sealable,
  entity: object,
  options: unknown,
): Promise<object | null> {
  const found = await manager.findOne(
    entity.constructor,
    entity,
    Object.assign({}, options, { refresh: true }),
  );
  if (!found) manager.getUnitOfWork(false).unsetIdentity(entity);
  return found;
}

/** Replaces a method: an override would have to repeat its many type parameters. */
function seal(
  prototype: Sealable,
  name: keyof EntityManager,
  use: (gate: UnitGate, start: () => unknown, manager: Sealable, given: readonly unknown[]) => unknown,
): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method is one
  const method = Reflect.get(DataErrorEntityManager.prototype, name) as Method;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: Sealable, ...given: unknown[]): unknown {
      const start = (): unknown => Reflect.apply(method, this, given);
      return this.gate ? use(this.gate, start, this, given) : start();
    },
  });
}
