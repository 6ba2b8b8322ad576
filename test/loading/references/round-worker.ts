import { on } from 'node:events';
import { Database } from '../../../src/database/database.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import type { BackfillConfig } from '../../../src/loading/references/backfill-config.ts';
import { parentsOfRound, type Asked, type Round } from './round.ts';
import { plans, portfolios, referencesOrm } from './world.ts';

// A process that backfills the same parents as another does, in an order of its own: once for each number that it is sent, the round,
// to which it answers with what it did. Ends with the channel.

const [url = '', worker = '0'] = process.argv.slice(2);
await using database = new Database(referencesOrm(parseDatabaseUrl(url, 'url')));
const filled = {
  ...plans,
  name: 'filled',
  dependsOn: ['portfolios'],
  mode: 'fill_null_only',
  columns: [{ target: 'name', source: 'worker' }],
} as const;
const targetsOf: Record<Asked['what'], BackfillConfig['targets']> = {
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
    const [asked]: Asked[] = given;
    if (asked) process.send?.(await backfilled(asked));
  }
} catch (error) {
  if (!ended.signal.aborted) throw error;
}

async function backfilled({ round, what }: Asked): Promise<Round> {
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
