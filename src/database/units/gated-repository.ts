import type { RepositoryClass, Signature } from '../../repositories/signatures/index.ts';
import { sealedStream } from './sealed-stream.ts';
import type { RowsToRead, UnitGate } from './unit-gate.ts';

type Method = (...given: unknown[]) => unknown;

/** Creates a proxy of a repository whose methods pass the gate. Calls within the repository don't pass it. */
type GatedClass = new (gate: UnitGate, repository: object) => object;

const classes = new WeakMap<object, Map<string, GatedClass>>();

/** Returns a proxy of `repository` whose calls pass the gate of its unit of work, as `name.method`. */
export function gatedRepository<R extends object>(gate: UnitGate, name: string, repository: R): R {
  const Gated = gatedClass(name, repository);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its prototype inherits from that of the repository
  return new Gated(gate, repository) as R;
}

// Made once for each class: a `Proxy` at each access would slow down every call.
function gatedClass(name: string, repository: object): GatedClass {
  const prototype: object = Object.getPrototypeOf(repository);
  let named = classes.get(prototype);
  if (!named) classes.set(prototype, (named = new Map()));
  let made = named.get(name);
  if (!made) named.set(name, (made = makeGatedClass(prototype, name)));
  return made;
}

function makeGatedClass(prototype: object, name: string): GatedClass {
  return class Gated {
    readonly #gate: UnitGate;
    readonly #repository: object;

    constructor(gate: UnitGate, repository: object) {
      this.#gate = gate;
      this.#repository = repository;
    }

    static {
      Object.setPrototypeOf(this.prototype, prototype);
      Object.defineProperty(this.prototype, 'constructor', { value: prototype.constructor });
      for (const [key, method] of methodsOf(prototype)) {
        const called = `${name}.${key}`;
        const value = isStream(prototype, key)
          ? function open(this: Gated, ...given: unknown[]): unknown {
              this.#gate.check(called);
              // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what its signature declares
              const rows = Reflect.apply(method, this.#repository, given) as RowsToRead;
              return sealedStream(this.#gate, called, rows);
            }
          : isSynchronous(prototype, key)
            ? function immediately(this: Gated, ...given: unknown[]): unknown {
                this.#gate.check(called);
                return Reflect.apply(method, this.#repository, given);
              }
            : function call(this: Gated, ...given: unknown[]): Promise<unknown> {
                return this.#gate.call(called, async () => Reflect.apply(method, this.#repository, given));
              };
        Object.defineProperty(this.prototype, key, { value });
      }
    }
  };
}

/** Returns whether a method is declared as synchronous in its signature: it sends nothing. */
function isSynchronous(prototype: object, method: string): boolean {
  return signatureOf(prototype, method)?.synchronous === true;
}

/** Returns whether a method is declared to return a stream. */
function isStream(prototype: object, method: string): boolean {
  return signatureOf(prototype, method)?.effect === 'streams';
}

function signatureOf({ constructor }: object, method: string): Signature | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- registration refuses a repository without signatures
  const { signatures } = constructor as unknown as RepositoryClass;
  return signatures[method];
}

/** Returns the methods of a class, its own before inherited ones. */
function methodsOf(prototype: object): Map<string, Method> {
  const methods = new Map<string, Method>();
  for (let at: object | null = prototype; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function' && key !== 'constructor' && !methods.has(key)) methods.set(key, value);
  }
  return methods;
}
