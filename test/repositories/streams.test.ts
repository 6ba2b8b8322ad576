import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import {
  ConcurrentUseError,
  DataError,
  InvalidPageError,
  UnfinishedWorkError,
  UnitOfWorkEndedError,
  type RowStream,
} from '../../src/index.ts';
import type { SynthSummary } from '../../src/repositories/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { collect } from '../database/units/collect.ts';
import { derivedArguments } from './derived-arguments.ts';
import { called } from './methods.ts';
import { readCases } from './read-cases.ts';
import { aWorld, type World } from './world.ts';

/** More than a stream reads at once. */
const many = 1_200;
const size = 7;

interface Keyed {
  readonly id: string;
}

type Open = (uow: ReadingUnitOfWork, world: World) => RowStream<Keyed>;

/** How streams are opened whose arguments can't be derived from their signatures. */
const opened: Readonly<Record<string, Open>> = {
  'scenarioNodes.streamChildren': ({ scenarioNodes }, { aside }) => scenarioNodes.streamChildren(aside.root),
  'simulationRuns.stream': ({ simulationRuns }, { experiment }) =>
    simulationRuns.stream({ experimentId: experiment }),
  'simulationRuns.streamOutcomes': ({ simulationRuns }, { simulation }) =>
    simulationRuns.streamOutcomes(simulation),
  'synths.streamSummaries': ({ synths }, { group }) => synths.streamSummaries({ group }),
  'synths.streamDetails': ({ synths }, { group }) => synths.streamDetails({ group }),
};

/** The lists with the rows of a stream; what it shows of each may be more. */
function listsOf(stream: string): string[] {
  const names = [stream.replace('.stream', '.scroll'), stream.replace('.stream', '.list')];
  return [...names, ...names.map((name) => name.replace('Details', 'Summaries'))];
}

const streams = called
  .filter(({ effect }) => effect === 'streams')
  .map((method) => ({
    name: method.name,
    whole: listsOf(method.name).flatMap((list) => readCases.filter(({ name }) => name === list))[0],
    open: (uow: ReadingUnitOfWork, world: World): RowStream<Keyed> =>
      opened[method.name]?.(uow, world) ??
      Reflect.apply(
        Reflect.get(uow[method.repository], method.method),
        uow[method.repository],
        derivedArguments(method, world),
      ),
  }));

let db: TestDatabase;
let database: Database;
let world: World;
beforeAll(async () => {
  db = await TestDatabase.create();
  world = await db.transact(async (uow) => aWorld(uow, size));
  // One connection: a stream that kept it would block all that follows.
  database = new Database(await connect(db.target, { pool: { max: 1 } }));
});
afterAll(async () => {
  await database.close();
  await db.drop();
});

const backends = `pg_stat_activity where state <> 'idle' and datname = current_database() and pid <> pg_backend_pid()`;

const running = async (): Promise<number> => {
  const [row] = await db.orm.em
    .fork()
    .execute<{ running: number }[]>(`select count(*)::int as running from ${backends}`);
  return row?.running ?? -1;
};

test('every list that is read by cursor has a stream', () => {
  const names = streams.map(({ name }) => name);
  const scrolls = readCases.filter(({ asks }) => asks === 'scroll').map(({ name }) => name);
  const expected = scrolls.filter((name) => name !== 'synthGroups.findDetail');

  expect(names).toEqual(expect.arrayContaining(expected.map((name) => name.replace('.scroll', '.stream'))));
  expect(streams.filter(({ whole }) => !whole)).toEqual([]);
});

describe.for(streams)('$name', ({ open, whole }) => {
  const expected = async (uow: ReadingUnitOfWork): Promise<readonly Keyed[]> => {
    const list = await whole?.read(uow, world);
    return Array.isArray(list) ? list : Reflect.get(Object(list), 'data');
  };

  test('gives the rows of the list in its order', () =>
    database.read(async (uow) => {
      const rows = await collect(open(uow, world));

      expect(rows).toHaveLength(size);
      // Details have the properties of summaries, and more.
      expect(rows).toMatchObject(await expected(uow));
    }));

  test('gives them in a transaction, and leaves its connection to other calls', () =>
    database.transact(async (uow) => {
      const rows = await collect(open(uow, world));

      expect(rows).toMatchObject(await expected(uow));
    }));

  test('ends when its loop is left', async () => {
    for (let round = 0; round < 3; round++) {
      await database.read(async (uow) => {
        for await (const row of open(uow, world)) {
          expect(row).toHaveProperty('id');
          break;
        }
        expect(await expected(uow)).toHaveLength(size);
      });
    }
    await expect.poll(running).toBe(0);
  });
});

describe('a stream of many rows', () => {
  beforeAll(async () => {
    const em = db.orm.em.fork();
    await em.execute(`insert into synth_groups (id, name) values ('grp_many', 'many')`);
    await em.execute(
      `insert into synths (id, synth_group_id, nome, created_at)
        select 'syn_' || i, 'grp_many', 'n', '2020-01-01'::timestamptz - i * interval '1 second' from generate_series(1, ${many}) i`,
    );
  });

  test('gives each row once', () =>
    database.read(async (uow) => {
      const ids = (await collect(all(uow))).map(({ id }) => id);

      expect(ids).toEqual(Array.from({ length: many }, (_, index) => `syn_${index + 1}`));
    }));

  test('is sorted as asked, and refuses another order before anything is sent', () =>
    database.read(async ({ synths }) => {
      const rows = await collect(synths.streamSummaries({ group: 'grp_many', sortOrder: 'asc' }));

      expect(rows.slice(0, 2).map(({ id }) => id)).toEqual([`syn_${many}`, `syn_${many - 1}`]);
      // @ts-expect-error -- as plain JavaScript may call it
      expect(() => synths.streamSummaries({ sortBy: 'version' })).toThrow(InvalidPageError);
    }));

  test('shows one snapshot', async () => {
    await database.read(async (uow) => {
      const rows = all(uow);
      await rows.next();
      await rename('changed');

      expect(new Set((await collect(rows)).map(({ name }) => name))).toEqual(new Set(['n']));
    });
    await rename('n');
  });

  test('flushes first', () =>
    db.rollback(async ({ synths }) => {
      synths.add({ id: 'syn_staged', name: 'staged', synthGroup: 'grp_many' });

      const rows = await collect(synths.streamSummaries({ group: 'grp_many', text: 'staged' }));

      expect(rows.map(({ id }) => id)).toEqual(['syn_staged']);
    }));

  test('answers calls at the same time with a row each', () =>
    database.read(async (uow) => {
      const rows = all(uow);
      const taken = await Promise.all(Array.from({ length: many + 5 }, () => rows.next()));

      expect(new Set(taken.flatMap(({ value }) => value?.id ?? [])).size).toBe(many);
      expect(taken.filter(({ done }) => done)).toHaveLength(5);
    }));

  test.each<[string, (rows: RowStream<Keyed>) => Promise<void>]>([
    [
      'an error in its loop',
      async (rows) => {
        for await (const row of rows) throw new Error(`no ${row.id}`);
      },
    ],
    [
      'await using',
      async (rows) => {
        await using open = rows;
        await open.next();
        throw new Error('no syn_1');
      },
    ],
  ])('is ended by %s', async (_, use) => {
    await database.read(async (uow) => {
      await expect(use(all(uow))).rejects.toThrow('no syn_1');
      expect(await uow.synths.count()).toBeGreaterThan(many);
    });
    await expect.poll(running).toBe(0);
  });

  test('is ended with a unit of work that reads, and throws then', async () => {
    const [rows] = await database.read(async (uow) => {
      const left = all(uow);
      await left.next();
      return [left] as const;
    });

    await expect(collect(rows)).rejects.toBeInstanceOf(UnitOfWorkEndedError);
    await expect.poll(running).toBe(0);
    expect(await database.read(({ synths }) => synths.count())).toBeGreaterThan(many);
  });

  test('is ended with a unit of work that reads while it is being opened', async () => {
    const [first] = await database.read(async (uow) => [
      all(uow)
        .next()
        .catch((error: unknown) => error),
    ]);

    await first;
    await expect.poll(running).toBe(0);
    expect(await database.read(({ synths }) => synths.count())).toBeGreaterThan(many);
  });

  test('rolls a transaction back when it is left open', async () => {
    const work = database.transact(async (uow) => void (await all(uow).next()));

    await expect(work).rejects.toBeInstanceOf(UnfinishedWorkError);
  });

  test('has the connection of its transaction until its end', () =>
    database.transact(async (uow) => {
      for await (const _ of all(uow)) {
        await expect(uow.synths.count()).rejects.toBeInstanceOf(ConcurrentUseError);
        break;
      }
      expect(await uow.synths.count()).toBeGreaterThan(many);
    }));

  test('throws a DataError when its connection is lost', async () => {
    const reading = database.read(async (uow) => {
      const rows = all(uow);
      await rows.next();
      await db.orm.em.fork().execute(`select pg_terminate_backend(pid) from ${backends}`);
      return collect(rows);
    });

    await expect(reading).rejects.toBeInstanceOf(DataError);
  });
});

function all({ synths }: ReadingUnitOfWork): RowStream<SynthSummary> {
  return synths.streamSummaries({ group: 'grp_many' });
}

function rename(name: string): Promise<unknown> {
  return db.orm.em.fork().execute(`update synths set nome = ? where synth_group_id = 'grp_many'`, [name]);
}
