import { Database } from '../../database/database.ts';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { ReadOnlyError } from '../../errors.ts';
import { refreshLoaded } from '../load/refresh-loaded.ts';
import type { BackfillPlan, BackfillResult } from './backfill-result.ts';
import { ReferenceBackfill, type FactRows } from './reference-backfill.ts';
import type { BackfillConfig } from './backfill-config.ts';
import { tagStatements } from '../../postgres/sql/statement-tags.ts';

/** How a backfill runs. */
export interface BackfillOptions {
  /**
   * Whether this is a dry run: reads the facts and returns the statements without using a connection. Default: false. `planBackfill` does
   * the same without a database.
   */
  readonly planOnly?: boolean | undefined;
}

/**
 * Inserts or completes the parents that facts reference, before the facts are loaded. Facts are streamed and never held in memory
 * together; PostgreSQL aggregates the parents' values. White space around text in facts is trimmed.
 *
 * Runs in a new transaction, or behind a savepoint of the given unit of work. Concurrent backfills of the same parents insert each parent
 * once.
 *
 * @throws InvalidBackfillError with every issue of `config`, before anything is sent, or when no fact has a property that it names.
 * @throws InvalidRowError for the first fact that can't be read.
 * @throws RefusedError when PostgreSQL refuses a row.
 * @throws ReadOnlyError outside `transact`.
 * @throws Errors of `facts`, unchanged.
 */
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: FactRows,
  options: BackfillOptions & { readonly planOnly: true },
): Promise<BackfillPlan>;
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: FactRows,
  options?: BackfillOptions & { readonly planOnly?: false | undefined },
): Promise<BackfillResult>;
export function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: FactRows,
  options?: BackfillOptions,
): Promise<BackfillPlan | BackfillResult>;
export async function backfillReferences(
  to: Database | UnitOfWork,
  config: BackfillConfig,
  facts: FactRows,
  { planOnly = false }: BackfillOptions = {},
): Promise<BackfillPlan | BackfillResult> {
  const backfill = new ReferenceBackfill(to instanceof Database ? to.orm.em : to.em, config);
  if (planOnly) return backfill.plan(facts);
  const send = (within: Database | UnitOfWork): Promise<BackfillResult> =>
    tagStatements('backfillReferences', () => within.transact((uow) => backfill.send(uow, facts)));
  if (to instanceof Database) return send(to);
  if (!to.em.isInTransaction())
    throw new ReadOnlyError(
      "references can't be backfilled: the unit of work is read-only; use one of `transact`",
    );
  const result = await send(to);
  for (const entity of backfill.entities) await refreshLoaded(to.em, entity);
  return result;
}
