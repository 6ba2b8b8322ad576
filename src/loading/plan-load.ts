import type { EntityManager } from '@mikro-orm/postgresql';
import { unconnected } from '../postgres/orm/unconnected.ts';
import type { LoadOptions, LoadPlan } from './load-options.ts';
import { Load } from './load.ts';
import { PlanningSession } from './session.ts';

/**
 * Reads and checks the rows, and returns the statements that `loadRows` would send with the same options. Needs no database and no
 * settings: it opens no connection, starts no server and writes no file. Whether rows share a key, or break a constraint, only the
 * database can say.
 *
 * @throws InvalidLoadError when the options are wrong; InvalidRowError naming the first bad row; whatever `rows` throws comes through
 * unchanged.
 */
export function planLoad<E extends object>(options: Omit<LoadOptions<E>, 'planOnly'>): Promise<LoadPlan> {
  return planLoadFor(unconnected().em, options);
}

/** Plans a load of an entity that `em` knows. Uses no connection of it. */
export async function planLoadFor<E extends object>(
  em: EntityManager,
  options: LoadOptions<E>,
): Promise<LoadPlan> {
  const session = new PlanningSession();
  const { rows } = await new Load(em, options).run(session);
  return { rows, statements: session.statements };
}
