import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from './kit/database.ts';
import { runServer, startServer, type RunServer } from './kit/server.ts';
import { groups } from './statement-shapes/groups.ts';
import { Lane, whyNoPsql, type Result, type Sender } from './statement-shapes/lane.ts';
import { refusalPage } from './statement-shapes/refusal-page.ts';
import { refusalReasons } from './statement-shapes/refusal-reasons.ts';
import type { Mode, Shape } from './statement-shapes/shape.ts';
import { uncoveredStatements } from './statement-shapes/uncovered-statements.ts';

/**
 * By default a part of the shapes is sent. `shapes`: every one. `all`: also marked by `standalone`, and by the ORM's own migrator; compared
 * with the migrator's catalog too.
 */
const extent = process.env['STATEMENT_SHAPES'] ?? '';
const all = extent === 'all';
const modes: readonly Mode[] = [
  'transactional',
  'statement by statement',
  ...(all ? (['standalone'] as const) : []),
];
const orm: readonly Sender[] = all ? ['the ORM, transactional', 'the ORM, not transactional'] : [];

let own: Awaited<ReturnType<typeof startServer>> | undefined;
let where: RunServer;
let settings: ReadonlyMap<string, string>;

// The run's server lacks settings that some need, and others change the server's settings. One of another version is used as it is.
beforeAll(async () => {
  const given = ['PG_MAJOR', 'TEST_DATABASE_URL', 'TEST_POSTGRES'].some((name) => process.env[name]);
  if (!given)
    own = await startServer(
      'wal_level=logical',
      'max_prepared_transactions=20',
      'allow_in_place_tablespaces=on',
    );
  where = own ? { url: own.url, prefix: 'shapes' } : runServer();
  await using db = await TestDatabase.create(where);
  const rows = await db.orm.em.execute<{ name: string; setting: string }[]>(
    `select name, setting from pg_settings union select 'is_superuser', current_setting('is_superuser')
     union select 'open transactions', exists (select from pg_stat_activity where state = 'idle in transaction')::text`,
  );
  settings = new Map(rows.map(({ name, setting }) => [name, setting]));
});
afterAll(() => own?.stop());

/** Returns what is lacking here; null if there is all that the shape needs. */
function lacking({ since = 14, needs }: Shape): string | null {
  if (whyNoPsql !== null) return whyNoPsql;
  if (settings.get('is_superuser') !== 'on') return 'needs a superuser';
  const major = Math.floor(Number(settings.get('server_version_num')) / 10_000);
  if (major < since) return `PostgreSQL ${major} lacks it`;
  return needs && settings.get(needs[0]) !== needs[1] ? `the server lacks ${needs.join(' = ')}` : null;
}

/** By default, what is refused somewhere, and each fourth of the others. */
function isChosen({ refused, fails, inTransaction }: Shape, index: number): boolean {
  return (
    extent !== '' || refused !== undefined || fails !== undefined || inTransaction === true || index % 4 === 0
  );
}

describe.each(Object.entries(groups))('%s', { retry: 0 }, (_, group) => {
  const shapes = group.filter(isChosen);
  const lanes: [Sender, Lane][] = [];

  beforeAll(async () => {
    const here = shapes.filter((shape) => lacking(shape) === null);
    for (const sender of here.length > 0 ? ['psql' as const, ...modes, ...orm] : [])
      lanes.push([sender, await Lane.open(where, sender, here, all)]);
  });
  afterAll(async () => {
    for (const [, lane] of lanes) await lane[Symbol.asyncDispose]();
  });

  test.for(shapes.map((shape) => [shape.sql.replaceAll(/\s+/g, ' '), shape] as const))(
    '%s',
    async ([, shape], { skip }) => {
      const lack = lacking(shape);
      if (lack !== null) skip(lack);
      const found: Observed[] = [];
      const expected: Observed[] = [];
      let byPsql: Result = { failure: null, code: null, effect: [] };
      for (const [sender, lane] of lanes) {
        const result = await lane.send(shape);
        if (sender === 'psql') byPsql = result;
        else if (sender === 'the ORM, transactional' || sender === 'the ORM, not transactional')
          recordDeviation(shape, sender, result, byPsql);
        else {
          found.push(await observed(lane, sender, result));
          expected.push(expectation(shape, sender, byPsql));
        }
        await lane.undo(shape);
      }
      expect(byPsql.failure).toBe(shape.fails ?? null);
      expect(found).toEqual(expected);
    },
  );
});

/** What a statement did, and the state in which it left the migrator. */
interface Observed extends Result {
  readonly mode: Mode;
  /** What is left of its effect after a failed migration was abandoned. */
  readonly remaining: readonly string[];
  /** Why another migration fails after it; null for a success. */
  readonly followed: string | null;
  readonly records: Awaited<ReturnType<Lane['records']>>;
}

async function observed(lane: Lane, mode: Mode, result: Result): Promise<Observed> {
  if (result.failure === null)
    return { mode, ...result, remaining: result.effect, followed: null, records: await lane.records() };
  await lane.abandon();
  const remaining = await lane.remaining();
  return { mode, ...result, remaining, followed: await lane.follow(), records: await lane.records() };
}

function expectation(shape: Shape, mode: Mode, { effect }: Result): Observed {
  const records = { complete: true, last: 'done', leaseFree: true, unfinished: 0 };
  const reason = shape.refused?.[mode];
  if (reason === undefined && shape.fails === undefined)
    return { mode, failure: null, code: null, effect, remaining: effect, followed: null, records };
  const { code, message } =
    reason === undefined
      ? { code: 'failed', message: new RegExp(`\\(${shape.fails}\\)|SQLSTATE ${shape.fails}`) }
      : refusalReasons[reason];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a matcher, in place of the text
  const failure = expect.stringMatching(message) as string;
  return { mode, failure, code, effect: [], remaining: [], followed: null, records };
}

/** What the ORM's own migrator does in another way than psql. */
const deviations: string[] = [];

function recordDeviation({ sql }: Shape, sender: Sender, { failure, effect }: Result, byPsql: Result): void {
  const same = JSON.stringify(effect) === JSON.stringify(byPsql.effect);
  if (same && (failure === null) === (byPsql.failure === null)) return;
  const kept = effect.length === 0 ? 'without effect' : same ? 'with its effect' : 'with another effect';
  deviations.push(`${sender} ${failure === null ? 'succeeds' : 'fails'} ${kept}: ${sql}`);
}

afterAll(() => {
  if (all)
    console.log(
      [`The ORM's own migrator deviates from psql (${deviations.length}):`, ...deviations].join('\n  '),
    );
});

test('there are shapes of every statement of the grammar', async () => {
  const shapes = Object.values(groups).flat();
  expect(shapes.length).toBeGreaterThan(150);
  expect(await uncoveredStatements(shapes.map(({ sql }) => sql))).toEqual([]);
});

test('the documentation lists what is refused', async () => {
  await expect(refusalPage(Object.values(groups).flat())).toMatchFileSnapshot('../docs/statements.md');
});
