import { unconnected } from '../../postgres/orm/unconnected.ts';
import type { BackfillPlan } from './backfill-result.ts';
import { Backfill, type Facts } from './backfill.ts';
import type { BackfillConfig } from './config.ts';

/**
 * Reads the facts, and returns the statements that `backfillReferences` would send and how many parents each target names. Needs no
 * database and no settings: it opens no connection, starts no server and writes no file. Which parents exist, only the database can
 * say.
 *
 * @throws InvalidBackfillError with all that is wrong with `config`, or when no fact has a property that it names; InvalidRowError
 * naming the first bad fact; whatever `facts` throws comes through unchanged.
 */
export async function planBackfill(config: BackfillConfig, facts: Facts): Promise<BackfillPlan> {
  return new Backfill(unconnected().em, config).plan(facts);
}
