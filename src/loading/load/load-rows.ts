import { Database } from '../../database/database.ts';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { DanglingReferenceError, ReadOnlyError } from '../../errors.ts';
import type { LoadCounts, LoadOptions, LoadPlan } from './load-options.ts';
import { Load } from './load.ts';
import { planLoadWith } from './plan-load.ts';
import { refreshLoaded } from './refresh-loaded.ts';
import { tagStatements } from '../../postgres/sql/statement-tags.ts';

/**
 * Loads any number of rows into the table of an entity, all or none: in a new transaction, or behind a savepoint of the given unit of
 * work. Rows are streamed and never held in memory together. They are checked as a flush checks them, shapes of documents included.
 *
 * @throws InvalidLoadError for invalid options, before anything is sent.
 * @throws InvalidRowError for the first row that can't be stored.
 * @throws RefusedError when PostgreSQL refuses a row, with the row's number where PostgreSQL reports it, or a parent is missing.
 * @throws ReadOnlyError outside `transact`.
 * @throws Errors of `rows`, unchanged.
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
  if (options.planOnly) return planLoadWith(em, options);
  const load = new Load(em, options);
  const send = (within: Database | UnitOfWork): Promise<LoadCounts> =>
    tagStatements('loadRows', async () => {
      try {
        return await within.transact((uow) => load.send(uow.em));
      } catch (error) {
        if (!(error instanceof DanglingReferenceError)) throw error;
        // The first error is thrown, not one of looking for the row.
        throw await within.transact((uow) => load.locate(error, uow.em)).catch(() => error);
      }
    });
  if (to instanceof Database) return send(to);
  if (!to.em.isInTransaction())
    throw new ReadOnlyError(
      `${options.entity.name} can't be loaded: the unit of work is read-only; use one of \`transact\``,
    );
  const counts = await send(to);
  await refreshLoaded(to.em, options.entity);
  return counts;
}
