import { on } from 'node:events';
import { Database } from '../../../src/database/database.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import type { BackfillConfig } from '../../../src/loading/references/backfill-config.ts';
import { parentsOfRound, type RoundRequest, type Round } from './round.ts';
import { plans, portfolios, referencesOrm } from './world.ts';

// Backfills the same parents as another process, in another order: one round for each message, whose answer is the result. Ends with the
// channel.

const [url = '', worker = '0'] = process.argv.slice(2);
await using database = new Database(referencesOrm(parseDatabaseUrl(url, 'url')));
const filled = {
  ...plans,
  name: 'filled',
  dependsOn: ['portfolios'],
  mode: 'fill_null_only',
  columns: [{ target: 'name', source: 'worker' }],
} as const;
const targetsOf: Record<RoundRequest['what'], BackfillConfig['targets']> = {
  everything: [
    { ...plans, columns: [{ target: 'tags', aggregation: 'collect_distinct', source: 'worker' }] },
    { ...portfolios, dependsOn: ['plans'] },
    filled,
  ],
  fill: [{ ...filled, dependsOn: [] }],
};
const ended = new AbortController();
process.once('disconnect', () => ended.abort());
process.send?.('ready');
try {
  for await (const given of on(process, 'message', { signal: ended.signal })) {
    const [request]: RoundRequest[] = given;
    if (request) process.send?.(await runRound(request));
  }
} catch (error) {
  if (!ended.signal.aborted) throw error;
}

async function runRound({ round, what }: RoundRequest): Promise<Round> {
  const keys = Array.from({ length: parentsOfRound }, (_, n) => `${round}-${n}`);
  if (worker !== '0') keys.reverse();
  const facts = keys.map((plan) => ({ plan, code: 1, worker: `w${worker}` }));
  try {
    const { targets } = await backfillReferences(database, { targets: targetsOf[what] }, facts);
    const of = (counted: 'inserted' | 'updated' | 'skipped'): number[] =>
      targets.map((target) => target[counted]);
    return { inserted: of('inserted'), updated: of('updated'), skipped: of('skipped'), error: null };
  } catch (error) {
    return { inserted: [], updated: [], skipped: [], error: String(error) };
  }
}
