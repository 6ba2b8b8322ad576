import { wrap, type EntityManager } from '@mikro-orm/postgresql';
import { Repository } from '../../repositories/repository.ts';
import { isOurs } from '../../postgres/orm/our-entities.ts';
import { DataErrorEntityManager } from '../../postgres/orm/data-errors/data-error-entity-manager.ts';
import { door } from './door.ts';
import { sealedStream } from './sealed-stream.ts';
import type { UnitEntityManager } from './unit-entity-manager.ts';
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

/** Calls that stage something for the next flush. */
const staging = ['create', 'persist', 'remove'] as const;

type Method = (...given: unknown[]) => unknown;

/** Has the methods of a prototype pass the gate of the unit of work that a manager belongs to. */
export function sealMethods(prototype: UnitEntityManager): void {
  for (const name of calls)
    seal(prototype, name, (gate, start) => gate.call(`em.${name}`, async () => start()));
  for (const name of staging)
    seal(prototype, name, (gate, start) => {
      gate.check(`em.${name}`);
      return start();
    });
  seal(prototype, 'stream', (gate, start) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the ORM returns
    return sealedStream(gate, start() as AsyncGenerator);
  });
  seal(prototype, 'refresh', (gate, start, manager, [entity, options]) =>
    gate.call('em.refresh', async () =>
      isManaged(manager, entity) ? readAgain(manager, entity, options) : start(),
    ),
  );
  seal(prototype, 'getRepository', (gate, start) => {
    const repository = start();
    return repository instanceof Repository
      ? door(gate, repository.constructor.name, repository)
      : repository;
  });
}

function isManaged(manager: UnitEntityManager, entity: unknown): entity is object {
  if (typeof entity !== 'object' || entity === null) return false;
  const { __meta: meta, __managed, __em } = wrap(entity, true);
  return isOurs(meta) && __managed && __em === manager;
}

/** Unlike the ORM's, which overwrites what was changed and not flushed. */
async function readAgain(
  manager: UnitEntityManager,
  entity: object,
  options: unknown,
): Promise<object | null> {
  const { __meta: meta, __primaryKeys: keys } = wrap(entity, true);
  const found = await manager.findOne(meta.class, keys, Object.assign({}, options, { refresh: true }));
  if (!found) manager.getUnitOfWork(false).unsetIdentity(entity);
  return found;
}

/** Replaces a method rather than overriding it, whose many type parameters would have to be written out again. */
function seal(
  prototype: UnitEntityManager,
  name: keyof EntityManager,
  use: (
    gate: UnitGate,
    start: () => unknown,
    manager: UnitEntityManager,
    given: readonly unknown[],
  ) => unknown,
): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every method is one
  const method = Reflect.get(DataErrorEntityManager.prototype, name) as Method;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: UnitEntityManager, ...given: unknown[]): unknown {
      const start = (): unknown => Reflect.apply(method, this, given);
      return this.gate ? use(this.gate, start, this, given) : start();
    },
  });
}
