import { Database } from '../../database/database.ts';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { ReadOnlyError } from '../../errors.ts';
import { refreshLoaded } from '../refresh-loaded.ts';
import type { BackfillPlan, BackfillResult } from './backfill-result.ts';
import { Backfill, type Facts } from './backfill.ts';
import type { BackfillConfig } from './config.ts';

/** How a backfill is run. */
export interface BackfillOptions {
  /**
   * Whether to read the facts and return the statements that would be sent, without using a connection. `planBackfill` does the same
   * without a database.
   */
  readonly planOnly?: boolean | undefined;
}

/**
 * Makes or completes the parents that facts name, before the facts are loaded. Facts go to the server as they come and are never held
 * together; the server makes the parents' values of them. Text in facts is taken without the white space around it.
 *
 * In a transaction of its own or, given a unit of work, behind a savepoint of that one's. Any number of backfills of the same parents
 * may run at once: each parent is inserted once.
 *
 * @throws InvalidBackfillError with all that is wrong with `config`, before anything is sent, or when no fact has a property that it
 * names; InvalidRowError naming the first bad fact; DataError when PostgreSQL refuses a row; ReadOnlyError outside `transact`; whatever
 * `facts` throw comes through unchanged.
 */
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: Facts,
  options: BackfillOptions & { readonly planOnly: true },
): Promise<BackfillPlan>;
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: Facts,
  options?: BackfillOptions & { readonly planOnly?: false | undefined },
): Promise<BackfillResult>;
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: Facts,
  options?: BackfillOptions,
): Promise<BackfillPlan | BackfillResult>;
export async function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: Facts,
  { planOnly = false }: BackfillOptions = {},
): Promise<BackfillPlan | BackfillResult> {
  const backfill = new Backfill(to instanceof Database ? to.orm.em : to.em, config);
  if (planOnly) return backfill.plan(facts);
  if (to instanceof Database) return to.transact((uow) => backfill.send(uow, facts));
  if (!to.em.isInTransaction()) throw new ReadOnlyError('references would be backfilled outside `transact`');
  const result = await to.transact((uow) => backfill.send(uow, facts));
  for (const entity of backfill.entities) await refreshLoaded(to.em, entity);
  return result;
}
