import { repositories } from '../../src/repositories/index.ts';
import type { RepositoryClass, Signature } from '../../src/repositories/signatures/index.ts';

/** A public method of a repository. */
export interface Method {
  /** `<repository>.<method>`. */
  readonly name: string;
  /** The name of the repository in a unit of work. */
  readonly repository: keyof typeof repositories;
  readonly entity: (typeof repositories)[keyof typeof repositories][0];
  readonly class: RepositoryClass;
  readonly method: string;
  readonly effect: Signature['effect'];
  readonly signature: Signature;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more than its own keys
const names = Object.keys(repositories) as (keyof typeof repositories)[];

/** The public methods of every repository, inherited ones included. */
const methods: readonly Method[] = names.flatMap((repository) => {
  const [entity, Repository]: readonly [Method['entity'], RepositoryClass] = repositories[repository];
  return Object.entries(Repository.signatures).map(([method, signature]) => ({
    name: `${repository}.${method}`,
    repository,
    entity,
    class: Repository,
    method,
    effect: signature.effect,
    signature,
  }));
});

/** Those that a test calls with arguments: `add` and `remove` have tests of their own, for every entity. */
export const called: readonly Method[] = methods.filter(({ method }) => !['add', 'remove'].includes(method));
