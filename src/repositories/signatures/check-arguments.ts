import { InvalidValueError } from '../../errors.ts';
import type { Arguments, Effect, Signature } from './effects.ts';

/** The signature of each public method, inherited ones included. */
export type Signatures<Repository> = {
  readonly [Method in keyof Repository]: Repository[Method] extends (...given: infer Given) => infer Result
    ? Result extends Promise<unknown>
      ? Signature<Arguments<Given>, Effect, false>
      : Signature<Arguments<Given>, Effect, true>
    : never;
};

/** A repository that declares its methods' signatures. */
export interface RepositoryClass {
  readonly name: string;
  readonly prototype: object;
  readonly signatures: Readonly<Record<string, Signature>>;
}

/**
 * Makes the methods of a repository check their arguments before they do anything.
 *
 * @throws Error when a method has no signature, which does not compile either.
 */
export function checkArguments({ name, prototype, signatures }: RepositoryClass): void {
  for (const method of Object.getOwnPropertyNames(prototype)) {
    if (method !== 'constructor' && !Object.hasOwn(signatures, method))
      throw new Error(`${name}.${method} has no signature: add it to ${name}.signatures`);
  }
  for (const [method, signature] of Object.entries(signatures)) {
    const unchecked: unknown = Reflect.get(prototype, method);
    if (typeof unchecked !== 'function')
      throw new Error(`${name}.signatures has ${method}, which is not a method of it`);
    Object.defineProperty(prototype, method, {
      value: checkedMethod(name, method, unchecked, signature),
      writable: true,
      configurable: true,
    });
  }
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a method of any arguments, which are what is checked
function checkedMethod(name: string, method: string, unchecked: Function, signature: Signature): unknown {
  const parameters = signature.given.flatMap((argument) => Object.entries(argument));
  const check = (given: readonly unknown[]): void => {
    for (const [position, [parameter, checkOne]] of parameters.entries()) {
      const problem = checkOne(given[position]);
      if (!problem) continue;
      const argument = `${parameter}${problem.at}`;
      throw new InvalidValueError(`${name}.${method}: ${argument} ${problem.what}`, { argument });
    }
  };
  // As members of an object, so that stack traces show their names.
  const members = signature.synchronous
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
