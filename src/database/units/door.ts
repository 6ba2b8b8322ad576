import type { RepositoryClass } from '../../repositories/signatures/index.ts';
import type { UnitGate } from './unit-gate.ts';

type Method = (...given: unknown[]) => unknown;

/** A repository with every method of it passing the gate. It stands before the repository, whose own calls of itself don't pass it. */
interface Door {
  readonly gate: UnitGate;
  readonly repository: object;
}

const prototypes = new WeakMap<object, Map<string, object>>();

/** Returns `repository` with every call of it passing the gate of its unit of work, as `name.method`. */
export function door<R extends object>(gate: UnitGate, name: string, repository: R): R {
  const parts = { gate: { value: gate }, repository: { value: repository } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its prototype is that of the repository
  return Object.create(prototypeFor(name, repository), parts) as R;
}

// Made once of each class: a proxy at each access would cost every call.
function prototypeFor(name: string, repository: object): object {
  const prototype: object = Object.getPrototypeOf(repository);
  let named = prototypes.get(prototype);
  if (!named) prototypes.set(prototype, (named = new Map()));
  let made = named.get(name);
  if (!made) named.set(name, (made = doorTo(prototype, name)));
  return made;
}

function doorTo(prototype: object, name: string): object {
  const made: object = Object.create(prototype);
  for (const [key, method] of methodsOf(prototype)) {
    const called = `${name}.${key}`;
    const value = isSynchronous(prototype, key)
      ? function immediately(this: Door, ...given: unknown[]): unknown {
          this.gate.check(called);
          return Reflect.apply(method, this.repository, given);
        }
      : function call(this: Door, ...given: unknown[]): Promise<unknown> {
          return this.gate.call(called, async () => Reflect.apply(method, this.repository, given));
        };
    Object.defineProperty(made, key, { value });
  }
  return made;
}

/** Whether the signature of a method says that it returns no promise: it sends nothing. */
function isSynchronous({ constructor }: object, method: string): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- registration refuses a repository without signatures
  const { signatures } = constructor as unknown as RepositoryClass;
  return signatures[method]?.synchronous === true;
}

/** The methods of a class, its own before those that it inherits. */
function methodsOf(prototype: object): Map<string, Method> {
  const methods = new Map<string, Method>();
  for (let at: object | null = prototype; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && key !== 'constructor' && !methods.has(key)) methods.set(key, value);
  }
  return methods;
}
