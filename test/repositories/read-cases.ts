import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { asks, derivedArguments } from './derived-arguments.ts';
import { called, type Method } from './methods.ts';
import { reads } from './reads.ts';
import type { World } from './world.ts';

/** A reading method, by its name and how it is called. */
export interface ReadCase {
  readonly name: string;
  readonly method: Method;
  readonly repository: keyof ReadingUnitOfWork;
  /** What it takes a request for; null when it takes none. */
  readonly asks: 'page' | 'scroll' | null;
  /** Asks for as many rows as the world says, unless a request says otherwise. */
  readonly read: (uow: ReadingUnitOfWork, world: World, request?: object) => unknown;
}

type Call = (repository: unknown, world: World, request: object) => unknown;

/** Every reading method of every repository: as `reads` calls it, else with arguments that are derived from its signature. */
export const readCases: readonly ReadCase[] = called
  .filter(({ effect }) => effect === 'reads')
  .map((method) => {
    const { name, repository } = method;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each takes the repository that `uow` has under its name
    const declared = Reflect.get(Object(reads[repository] ?? {}), method.method) as Call | undefined;
    const call: Call =
      declared ??
      ((target, world, request) =>
        Reflect.apply(
          Reflect.get(Object(target), method.method),
          target,
          derivedArguments(method, world, request),
        ));
    return {
      name,
      method,
      repository,
      asks: asks(method),
      read: (uow, world, request = { limit: world.limit, first: world.limit }) =>
        call(uow[repository], world, request),
    };
  });
