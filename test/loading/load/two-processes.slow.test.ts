import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../../src/testing/index.ts';
import { runScript } from '../../testing/run-script.ts';

// 100 of them were run once; they take some 30 ms each.
const rounds = Number(process.env['LOAD_ROUNDS'] ?? 10);
const keys = 300;

// Both load the same keys of each round at once, the one up and the other down.
const script = `
  import { openDatabase } from '${new URL('../../../src/index.ts', import.meta.url).href}';
  import { loadRows } from '${new URL('../../../src/loading/index.ts', import.meta.url).href}';
  import { Experiment } from '${new URL('../../../src/entities.ts', import.meta.url).href}';
  const { MODE: mode, NAME: name, ROUNDS: rounds, KEYS: keys } = process.env;
  await using database = await openDatabase();
  const sums = { inserted: 0, updated: 0, deleted: 0, skipped: 0 };
  for (let round = 0; round < rounds; round++) {
    const rows = Array.from({ length: keys }, (_, n) => ({
      id: 'e_' + round + '_' + n, name, hypothesis: 'h', description: name,
    }));
    if (name === 'down') rows.reverse();
    await database.transact(({ em }) => em.execute('insert into arrived values (' + round + ')'));
    for (let there = 0; there < 2; )
      [{ there }] = await database.orm.em.fork().execute('select count(*)::int as there from arrived where round = ' + round);
    const counts = await loadRows(database, { entity: Experiment, mode, rows });
    for (const what in sums) sums[what] += counts[what];
  }
  console.log(JSON.stringify(sums));`;

describe('two processes that load the same keys at once, in opposite orders,', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await db.orm.em.fork().execute('create table arrived (round int)');
  });
  afterAll(() => db.drop());

  const loader = async (mode: string, name: 'up' | 'down'): Promise<Record<string, number>> => {
    const started = runScript(script, {
      DATABASE_URL: db.url,
      MODE: mode,
      NAME: name,
      ROUNDS: String(rounds),
      KEYS: String(keys),
    });
    if (!started.stdout) throw new Error('its output is not read');
    const [printed] = await Promise.all([text(started.stdout), once(started, 'exit')]);
    return JSON.parse(printed);
  };
  const both = async (mode: string): Promise<Record<string, number>> => {
    await db.orm.em.fork().execute('truncate arrived');
    const [up, down] = await Promise.all([loader(mode, 'up'), loader(mode, 'down')]);
    return Object.fromEntries(Object.keys(up).map((what) => [what, (up[what] ?? 0) + (down[what] ?? 0)]));
  };
  const all = rounds * keys;

  test.each([
    ['upsert', { inserted: all, updated: all, deleted: 0, skipped: 0 }],
    ['insert_missing', { inserted: all, updated: 0, deleted: 0, skipped: all }],
    ['delete_insert', { inserted: 2 * all, updated: 0, deleted: all, skipped: 0 }],
  ])('by %s both succeed, and their counts add up', async (mode, sums) => {
    await db.orm.em.fork().execute('delete from experiments');

    expect(await both(mode)).toEqual(sums);

    const found = `select count(*)::int as rows, count(distinct name)::int as names from experiments group by split_part(id, '_', 2)`;
    // The last one wins a round, whole.
    expect(await db.orm.em.fork().execute(found)).toEqual(
      Array.from({ length: rounds }, () => ({ rows: keys, names: 1 })),
    );
  });

  test('by fill_null fill each row once', async () => {
    await db.orm.em.fork().execute('delete from experiments');
    await db.orm.em
      .fork()
      .execute(
        `insert into experiments (id, name, hypothesis) select 'e_' || r || '_' || n, 'n', 'h' from generate_series(0, ${rounds - 1}) r, generate_series(0, ${keys - 1}) n`,
      );

    expect(await both('fill_null')).toEqual({ inserted: 0, updated: all, deleted: 0, skipped: all });

    expect(await db.orm.em.fork().execute('select distinct row_version from experiments')).toEqual([
      { row_version: 2 },
    ]);
  });
});
