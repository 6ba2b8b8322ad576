import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { World } from './world.ts';
import { writes } from './writes.ts';

/** A writing method, by its name and how it is called. */
export interface WriteCase {
  readonly name: string;
  readonly write: (uow: UnitOfWork, world: World) => unknown;
}

/** Every writing method of every repository. */
export const writeCases: readonly WriteCase[] = Object.entries(writes).flatMap(([repository, methods]) =>
  Object.entries<(repository: never, world: World) => unknown>(methods).map(([method, write]) => ({
    name: `${repository}.${method}`,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each takes the repository that `uow` has under its name
    write: (uow, world) => write(uow[repository as keyof ReadingUnitOfWork] as never, world),
  })),
);
