import { Database } from '../database/database.ts';
import type { UnitOfWork } from '../database/units/unit-of-work.ts';
import { ReadOnlyError } from '../errors.ts';
import type { LoadCounts, LoadOptions, LoadPlan } from './load-options.ts';
import { Load } from './load.ts';
import { planLoadFor } from './plan-load.ts';
import { refreshLoaded } from './refresh-loaded.ts';

/**
 * Loads any number of rows into the table of an entity, in a transaction of its own or, given a unit of work, behind a savepoint of
 * that one's: all of them, or none. Rows go to the server as they come and are never held together. They are checked as a flush
 * checks them, the shapes of documents included.
 *
 * @throws InvalidLoadError before anything is sent; InvalidRowError naming the first bad row; DataError when PostgreSQL refuses the
 * rows, with the row's number where it tells one; ReadOnlyError outside `transact`; whatever `rows` throw comes through unchanged.
 */
export function loadRows<E extends object>(
  to: Database | UnitOfWork,
  options: LoadOptions<E> & { readonly planOnly: true },
): Promise<LoadPlan>;
export function loadRows<E extends object>(
  to: Database | UnitOfWork,
  options: LoadOptions<E> & { readonly planOnly?: false | undefined },
): Promise<LoadCounts>;
export function loadRows<E extends object>(
  to: Database | UnitOfWork,
  options: LoadOptions<E>,
): Promise<LoadCounts | LoadPlan>;
export async function loadRows<E extends object>(
  to: Database | UnitOfWork,
  options: LoadOptions<E>,
): Promise<LoadCounts | LoadPlan> {
  const em = to instanceof Database ? to.orm.em : to.em;
  if (options.planOnly) return planLoadFor(em, options);
  const load = new Load(em, options);
  if (to instanceof Database) return to.transact((uow) => load.send(uow.em));
  if (!to.em.isInTransaction())
    throw new ReadOnlyError(`${options.entity.name} would be written outside \`transact\``);
  const counts = await to.transact((uow) => load.send(uow.em));
  await refreshLoaded(to.em, options.entity);
  return counts;
}
