import { UnitOfWork } from '../../src/database/units/unit-of-work.ts';

/** The methods of every repository of a unit of work, inherited and protected ones included: its name there, and the method's. */
export function methodsIn(uow: UnitOfWork): (readonly [repository: string, method: string])[] {
  return Object.keys(Object.getOwnPropertyDescriptors(UnitOfWork.prototype)).flatMap((name) =>
    methodsOf(Reflect.get(uow, name)).map((method) => [name, method] as const),
  );
}

/** Whether a method of this name is one that reads. */
export function isReading(method: string): boolean {
  return /^(?:find|get|list|page|count|exists|search)|statistics/i.test(method);
}

function methodsOf(repository: unknown): string[] {
  // A method of the unit of work is no repository.
  if (typeof repository !== 'object') return [];
  const names = new Set<string>();
  let from: unknown = Object.getPrototypeOf(repository);
  while (typeof from === 'object' && from !== null && from !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(from)) names.add(name);
    from = Object.getPrototypeOf(from);
  }
  names.delete('constructor');
  return [...names];
}
