import { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { Effect, RepositoryClass } from '../../src/repositories/signatures/index.ts';

/** A method of a repository: the name of the repository in a unit of work, its own, and what it does. */
export interface Method {
  readonly repository: string;
  readonly method: string;
  readonly effect: Effect;
}

/** The public methods of every repository of a unit of work, inherited ones included. */
export function methodsIn(uow: UnitOfWork): Method[] {
  return Object.keys(Object.getOwnPropertyDescriptors(UnitOfWork.prototype)).flatMap((repository) => {
    const found: unknown = Reflect.get(uow, repository);
    if (!isRepository(found)) return [];
    return Object.entries(found.constructor.signatures).map(([method, { effect }]) => ({
      repository,
      method,
      effect,
    }));
  });
}

function isRepository(member: unknown): member is { readonly constructor: RepositoryClass } {
  return typeof member === 'object' && member !== null && 'signatures' in member.constructor;
}
