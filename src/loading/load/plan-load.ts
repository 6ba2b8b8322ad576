import type { EntityManager } from '@mikro-orm/postgresql';
import { unconnected } from '../../postgres/orm/unconnected.ts';
import type { LoadOptions, LoadPlan } from './load-options.ts';
import { Load } from './load.ts';
import { PlanningSession } from './load-session.ts';

/**
 * Returns the statements that `loadRows` would send with the same options (dry run). Reads and checks the rows; opens no connection,
 * starts no server, reads no setting and writes no file. Duplicate keys and constraint violations show only when the load runs.
 *
 * @throws InvalidLoadError for invalid options.
 * @throws InvalidRowError for the first row that can't be stored.
 * @throws Errors of `rows`, unchanged.
 */
export function planLoad<E extends object>(options: Omit<LoadOptions<E>, 'planOnly'>): Promise<LoadPlan> {
  return planLoadWith(unconnected().em, options);
}

/** Plans a load of an entity that `em` knows, without using a connection. */
export async function planLoadWith<E extends object>(
  em: EntityManager,
  options: LoadOptions<E>,
): Promise<LoadPlan> {
  const session = new PlanningSession();
  const { rows } = await new Load(em, options).run(session);
  return { rows, statements: session.statements };
}
