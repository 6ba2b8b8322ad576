import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import type { BackfillConfig } from '../../../src/loading/references/backfill-config.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { plans, portfolios, References, referencesOrm } from './world.ts';

const facts = [
  { plan: ' P1', code: '1', title: "it's ? \\ {}", tag: 'x', amount: 1, at: 3, details: { city: 'a' } },
  { plan: 'P1', code: 1, title: 'b', tag: 'y', amount: '2', at: '2026-01-01T00:00:00Z' },
  { plan: 'P2', code: '01', title: null },
  { plan: '', code: 2 },
  { plan: 'P2', code: null },
  { plan: 'P', code: 21 },
];

const every: BackfillConfig['targets'] = [
  { ...portfolios, dependsOn: ['plans'], skipBlankValues: true },
  {
    ...plans,
    skipBlankValues: true,
    columns: [
      { target: 'name', aggregation: 'template', template: "{title} ? '{{}}' \\ $1" },
      { target: 'amount', aggregation: 'max_by', source: 'amount', order: 'at' },
      { target: 'source', aggregation: 'concat_distinct', source: 'title', separator: "'?" },
      { target: 'portfolioCount', aggregation: 'count_distinct', source: 'code' },
      { target: 'tags', aggregation: 'collect_distinct', source: 'tag' },
      { target: 'details', source: 'details' },
    ],
    tracking: { derivedAt: { now: true } },
  },
  {
    ...plans,
    name: 'completed',
    mode: 'fill_null_only',
    skipBlankValues: true,
    columns: [
      { target: 'source', source: 'title' },
      { target: 'tags', aggregation: 'collect_distinct', source: 'tag' },
    ],
  },
];

describe('the plan of a backfill', () => {
  let db: References;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => {
    db = await References.create();
    proxy = await WireProxy.start(db.target);
    database = new Database(referencesOrm(proxy.target));
  });
  beforeEach(async () => {
    await db.empty();
    proxy.reset();
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });

  test.each([false, true])(
    'opens no connection, and is what is then sent (savepoints: %s)',
    async (savepoints) => {
      const config = { targets: every, savepoints };

      const plan = await backfillReferences(database, config, facts, { planOnly: true });
      expect(proxy.statements).toEqual([]);
      const result = await backfillReferences(database, config, facts);

      const sent = proxy.statements.filter((sql) => !/^(?:begin|commit|savepoint|release)\b/.test(sql));
      expect(sent).toEqual(plan.statements.map(({ sql }) => sql));
      expect(result.facts).toBe(plan.facts);
      expect(result.targets.map(({ name, entity, candidates }) => ({ name, entity, candidates }))).toEqual(
        plan.targets,
      );
      expect(plan.targets.map(({ candidates }) => candidates)).toEqual([3, 3, 3]);
      expect(plan.statements.map(({ rows }) => rows).filter((rows) => rows > 0)).toEqual([facts.length]);
    },
  );

  test('is one transaction, with a savepoint for each target', async () => {
    proxy.reset();
    await backfillReferences(database, { targets: every }, facts);

    const around = proxy.statements.flatMap((sql) => /^(?:begin|commit|savepoint|release)\b/.exec(sql) ?? []);
    expect(around).toEqual(['begin', ...every.flatMap(() => ['savepoint', 'release']), 'commit']);
  });
});
