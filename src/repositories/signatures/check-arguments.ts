import { InvalidValueError } from '../../errors.ts';
import type { AnyCheck, Check } from './check.ts';

/** An argument: its name and what it may be. */
type Argument<T> = Readonly<Record<string, Check<T>>>;

type Arguments<Given extends readonly unknown[]> = {
  readonly [Position in keyof Given]-?: Argument<Given[Position]>;
};

/**
 * The arguments of each public method, inherited ones included. Those of a method that returns no promise are `synchronous`: there a
 * refusal is thrown, elsewhere the promise is rejected with it.
 */
export type Signatures<Repository> = {
  readonly [Method in keyof Repository]: Repository[Method] extends (...given: infer Given) => infer Result
    ? Result extends Promise<unknown>
      ? Arguments<Given>
      : { readonly synchronous: Arguments<Given> }
    : never;
};

type AnyArguments = readonly Readonly<Record<string, AnyCheck>>[];
type AnySignature = AnyArguments | { readonly synchronous: AnyArguments };

const checked = new WeakSet<object>();

/**
 * Makes the methods of a repository check their arguments before they do anything. A method without a signature does not compile;
 * where types are not checked, loading its module throws.
 */
export function checkArguments<Repository extends object>(
  { name, prototype }: { readonly name: string; readonly prototype: Repository },
  signatures: Signatures<NoInfer<Repository>>,
): void {
  for (const method of Object.getOwnPropertyNames(prototype)) {
    if (method !== 'constructor' && !Object.hasOwn(signatures, method))
      throw new Error(`${name}.${method} has no signature: add it to checkArguments(${name}, …)`);
  }
  for (const [method, signature] of Object.entries<AnySignature>(signatures)) {
    const unchecked: unknown = Reflect.get(prototype, method);
    if (typeof unchecked !== 'function')
      throw new Error(`${name} has a signature for ${method}, which is no method`);
    Object.defineProperty(prototype, method, {
      value: checkedMethod(name, method, unchecked, signature),
      writable: true,
      configurable: true,
    });
  }
  checked.add(prototype);
}

/** Whether the methods of a repository check their arguments. */
export function checksArguments({ prototype }: { readonly prototype: object }): boolean {
  return checked.has(prototype);
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a method of any arguments, which are what is checked
function checkedMethod(name: string, method: string, unchecked: Function, signature: AnySignature): unknown {
  const synchronous = 'synchronous' in signature;
  const parameters = (synchronous ? signature.synchronous : signature).flatMap((argument) =>
    Object.entries(argument),
  );
  const check = (given: readonly unknown[]): void => {
    for (const [position, [parameter, checkOne]] of parameters.entries()) {
      const problem = checkOne(given[position]);
      if (!problem) continue;
      const argument = `${parameter}${problem.at}`;
      throw new InvalidValueError(`${name}.${method}: ${argument} ${problem.what}`, { argument });
    }
  };
  // As members of an object, so that stack traces show their names.
  const members = synchronous
    ? {
        [method](...given: unknown[]): unknown {
          check(given);
          return Reflect.apply(unchecked, this, given);
        },
      }
    : {
        async [method](...given: unknown[]): Promise<unknown> {
          check(given);
          return Reflect.apply(unchecked, this, given);
        },
      };
  return members[method];
}
