import { isPromise } from 'node:util/types';
import { ormDriver } from './orm-driver.ts';

type Query = (this: unknown, ...given: unknown[]) => unknown;

/**
 * Calls `onAnswer` with how long each statement of the driver took, in milliseconds, from now on and in this thread alone. Of another copy of the
 * driver than the ORM's, and of cursors and streams, nothing is known.
 */
export function watchAnswers(onAnswer: (duration: number) => void): void {
  const { prototype }: { readonly prototype: object } = ormDriver().Client;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the method that every statement passes
  const query = Reflect.get(prototype, 'query') as Query;
  const watched: Query = function (...given) {
    const began = performance.now();
    const answered = (): void => onAnswer(performance.now() - began);
    const callback = given.at(-1);
    if (typeof callback === 'function')
      return query.apply(this, [
        ...given.slice(0, -1),
        (...answer: unknown[]): unknown => {
          answered();
          return Reflect.apply(callback, undefined, answer);
        },
      ]);
    const result = query.apply(this, given);
    if (isPromise(result)) void result.then(answered, answered);
    return result;
  };
  Reflect.set(prototype, 'query', watched);
}
