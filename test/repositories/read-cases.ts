import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { reads } from './reads.ts';
import type { World } from './world.ts';

/** A reading method, by its name and how it is called. */
export interface ReadCase {
  readonly name: string;
  readonly repository: keyof ReadingUnitOfWork;
  /** What it takes a request for; null when it takes none. */
  readonly asks: 'page' | 'stretch' | null;
  /** Asks for as many rows as the world says, unless a request says otherwise. */
  readonly read: (uow: ReadingUnitOfWork, world: World, request?: object) => unknown;
}

type Call = (repository: unknown, world: World, request: object) => unknown;
type Entry = Call | { readonly page: Call } | { readonly stretch: Call };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no more than its own keys
const repositories = Object.keys(reads) as (keyof ReadingUnitOfWork)[];

/** Every reading method of every repository. */
export const readCases: readonly ReadCase[] = repositories.flatMap(casesOf);

function casesOf(repository: keyof ReadingUnitOfWork): ReadCase[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each takes the repository that `uow` has under its name
  const methods = reads[repository] as Record<string, Entry>;
  return Object.entries(methods).map(([method, entry]) => {
    const [asks, call] = typeof entry === 'function' ? ([null, entry] as const) : asking(entry);
    return {
      name: `${repository}.${method}`,
      repository,
      asks,
      read: (uow, world, request = { limit: world.limit }) => call(uow[repository], world, request),
    };
  });
}

function asking(entry: Exclude<Entry, Call>): readonly ['page' | 'stretch', Call] {
  return 'page' in entry ? ['page', entry.page] : ['stretch', entry.stretch];
}
