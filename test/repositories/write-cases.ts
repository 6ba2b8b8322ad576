import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { Effect } from '../../src/repositories/signatures/index.ts';
import { derivedArguments } from './derived-arguments.ts';
import { called } from './methods.ts';
import type { World } from './world.ts';
import { writes } from './writes.ts';

/** A method that locks, stages or writes, by its name and how it is called. */
export interface WriteCase {
  readonly name: string;
  readonly effect: Effect;
  readonly write: (uow: UnitOfWork, world: World) => unknown;
}

type Call = (repository: unknown, world: World) => unknown;

/** Every such method of every repository: as `writes` calls it, else with arguments that are derived from its signature. */
export const writeCases: readonly WriteCase[] = called
  .filter(({ effect }) => effect !== 'reads' && effect !== 'streams')
  .map((method) => {
    const { name, repository, effect } = method;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each takes the repository that `uow` has under its name
    const declared = Reflect.get(Object(writes[repository] ?? {}), method.method) as Call | undefined;
    const call: Call =
      declared ??
      ((target, world) =>
        Reflect.apply(Reflect.get(Object(target), method.method), target, derivedArguments(method, world)));
    return { name, effect, write: (uow, world) => call(uow[repository], world) };
  });
