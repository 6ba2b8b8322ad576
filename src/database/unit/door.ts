import type { EntityManager } from '@mikro-orm/postgresql';
import { UnitEntityManager } from './unit-entity-manager.ts';

const staging = new Set(['add', 'remove']);

/**
 * A repository of a unit of work, whose every method passes here: it is refused when the unit has ended, and known by name while it
 * runs.
 */
export function door<R extends object>(em: EntityManager, name: string, repository: R): R {
  const gate = em instanceof UnitEntityManager ? em.gate : undefined;
  if (!gate) return repository;
  return new Proxy(repository, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key, target);
      if (typeof method !== 'function') return method;
      const called = `${name}.${String(key)}`;
      if (staging.has(String(key)))
        return (...given: unknown[]): unknown => {
          gate.check(called);
          return Reflect.apply(method, target, given);
        };
      return (...given: unknown[]) =>
        gate.call(called, () => Reflect.apply(method, target, given) as Promise<unknown>);
    },
  });
}
