import { unconnected } from '../../postgres/orm/unconnected.ts';
import type { BackfillPlan } from './backfill-result.ts';
import { ReferenceBackfill, type FactRows } from './reference-backfill.ts';
import type { BackfillConfig } from './backfill-config.ts';

/**
 * Returns the statements that `backfillReferences` would send, and how many parents each target has (dry run). Reads the facts; opens no
 * connection, starts no server, reads no setting and writes no file. Which parents exist already shows only when the backfill runs.
 *
 * @throws InvalidBackfillError with every issue of `config`, or when no fact has a property that it names.
 * @throws InvalidRowError for the first fact that can't be read.
 * @throws Errors of `facts`, unchanged.
 */
export async function planBackfill(config: BackfillConfig, facts: FactRows): Promise<BackfillPlan> {
  return new ReferenceBackfill(unconnected().em, config).plan(facts);
}
