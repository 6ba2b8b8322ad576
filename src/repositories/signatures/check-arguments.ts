import { methodTagger } from '../../postgres/sql/statement-tags.ts';
import { InvalidValueError } from '../../errors.ts';
import type { ParametersOf, Effect, Signature } from './effects.ts';

/** The signature of each public method, inherited ones included. */
export type Signatures<Repository> = {
  readonly [Method in keyof Repository]: Repository[Method] extends (
    ...given: infer Arguments
  ) => infer Result
    ? Result extends Promise<unknown>
      ? Signature<ParametersOf<Arguments>, Exclude<Effect, 'streams'>, false>
      : Result extends AsyncIterable<unknown>
        ? Signature<ParametersOf<Arguments>, 'streams', true>
        : Signature<ParametersOf<Arguments>, Exclude<Effect, 'streams'>, true>
    : never;
};

/** A repository class that declares the signatures of its methods. */
export interface RepositoryClass {
  readonly name: string;
  readonly prototype: object;
  readonly signatures: Readonly<Record<string, Signature>>;
}

/**
 * Replaces the methods of a repository by ones that check their arguments first, and tag their statements with `member.method`. `member` is the
 * repository's name in a unit of work.
 *
 * @throws Error when a method has no signature, or a signature no method; neither compiles.
 */
export function checkArguments({ name, prototype, signatures }: RepositoryClass, member: string): void {
  for (const method of Object.getOwnPropertyNames(prototype)) {
    if (method !== 'constructor' && !Object.hasOwn(signatures, method))
      throw new Error(`${name}.${method} has no signature: add it to ${name}.signatures`);
  }
  for (const [method, signature] of Object.entries(signatures)) {
    const unchecked: unknown = Reflect.get(prototype, method);
    if (typeof unchecked !== 'function')
      throw new Error(`${name}.signatures has ${method}, which is not a method`);
    Object.defineProperty(prototype, method, {
      value: checkedMethod(name, method, unchecked, signature, methodTagger(`${member}.${method}`)),
      writable: true,
      configurable: true,
    });
  }
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- a method of any arguments: they are checked here
function checkedMethod(
  name: string,
  method: string,
  unchecked: Function,
  signature: Signature,
  tagged: ReturnType<typeof methodTagger>,
): unknown {
  const parameters = signature.parameters.flatMap((argument) => Object.entries(argument));
  const checkAll = (given: readonly unknown[]): void => {
    for (const [position, [parameter, check]] of parameters.entries()) {
      const problem = check(given[position]);
      if (!problem) continue;
      const argument = `${parameter}${problem.at}`;
      throw new InvalidValueError(`${name}.${method}: ${argument} ${problem.what}`, { argument });
    }
  };
  // Members of an object, so that stack traces show the name of the method.
  const members = signature.synchronous
    ? {
        [method](...given: unknown[]): unknown {
          checkAll(given);
          const result: unknown = Reflect.apply(unchecked, this, given);
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the signature declares
          return signature.effect === 'streams' ? taggedStream(result as AsyncGenerator, tagged) : result;
        },
      }
    : {
        async [method](...given: unknown[]): Promise<unknown> {
          checkAll(given);
          return tagged((): unknown => Reflect.apply(unchecked, this, given));
        },
      };
  return members[method];
}

/** Returns a stream that tags its statement, which the first row sends. The other rows are not worth entering an asynchronous context. */
function taggedStream(rows: AsyncGenerator, tagged: ReturnType<typeof methodTagger>): AsyncGenerator {
  const next = rows.next.bind(rows);
  let isOpen = false;
  const read = (): Promise<IteratorResult<unknown>> => {
    if (isOpen) return next();
    isOpen = true;
    return tagged(next);
  };
  return Object.assign(rows, { next: read });
}
