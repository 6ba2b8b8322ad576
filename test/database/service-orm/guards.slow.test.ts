import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createOfflineOrm } from '../../../src/postgres/orm/offline-orm.ts';
import { AnalysisRun, Experiment, Synth } from '../../../src/entities.ts';
import {
  ContentionError,
  DuplicateError,
  InvalidJsonError,
  PoolTimeoutError,
  ReadOnlyError,
  UnitOfWork,
} from '../../../src/index.ts';
import { ShapedJson } from '../../../src/json/shaped-json.ts';
import { loadRows } from '../../../src/loading/index.ts';
import * as repositories from '../../../src/repositories/index.ts';
import * as testing from '../../../src/testing/index.ts';
import { TestDatabase, anAnalysisRun, anExperiment } from '../../../src/testing/index.ts';
import { aWorld } from '../../repositories/world.ts';
import { writeCases } from '../../repositories/write-cases.ts';
import { createNotes } from './note.ts';
import { openings, type Opened } from './openings.ts';

const metadata = [...createOfflineOrm().getMetadata().getAll().values()];
const shapedColumns = metadata.flatMap(({ class: entity, className, tableName, props }) =>
  props
    .filter(({ customType }) => customType instanceof ShapedJson)
    .map(({ name, fieldNames }) => ({
      entity,
      className,
      property: name,
      column: `${tableName}.${fieldNames[0]}`,
    })),
);

/** Stages a row of an entity, and the rows that it references. */
function stage(em: EntityManager, className: string): object {
  const factory: unknown = Reflect.get(testing, `a${className}`) ?? Reflect.get(testing, `an${className}`);
  if (typeof factory !== 'function') throw new Error(`${className} has no factory`);
  const row: unknown = Reflect.apply(factory, undefined, [em]);
  if (typeof row !== 'object' || row === null) throw new Error(`the factory of ${className} makes none`);
  return row;
}

let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(createNotes);
});
afterEach(() =>
  db.orm.em.execute(
    'truncate experiments, synths, synth_groups, research_executions, feature_scorecards, simulation_runs, notes cascade',
  ),
);
afterAll(() => db.drop());

/** Stores an experiment and returns its key. */
function stored(name = 'Short checkout'): Promise<string> {
  return db.transact(async ({ em }) => anExperiment(em, { name }).id);
}

describe.for(openings)('a service with $name', ({ open }) => {
  let service: Opened;
  beforeAll(async () => void (service = await open(db.url)));
  afterAll(() => service.close());

  test.for(shapedColumns)(
    'refuses an invalid document in $column',
    async ({ entity, className, property, column }) => {
      const refused = service.transact(async (em) => {
        const row = stage(em, className);
        await em.flush();
        Object.assign(row, { [property]: 4_711 });
        await em.flush();
      });

      await expect(refused).rejects.toThrow(InvalidJsonError);
      await expect(refused).rejects.toMatchObject({ column });

      const past = service.transact((em) => em.nativeUpdate(entity, {}, { [property]: 4_711 }));

      await expect(past).rejects.toThrow(InvalidJsonError);
    },
  );

  test('refuses an invalid document in inserts and upserts that bypass the flush', async () => {
    const row = { id: 'syn_1', name: 'Ana Lima', data: { demografia: { idade: -1 } } };
    const ways: ((em: EntityManager) => Promise<unknown>)[] = [
      (em) => em.insert(Synth, row),
      (em) => em.insertMany(Synth, [row]),
      (em) => em.upsert(Synth, row),
      (em) => em.upsertMany(Synth, [row]),
      (em) => em.upsert(em.create(Synth, row, { persist: false })),
      (em) => em.createQueryBuilder(Synth).insert(row).execute(),
      (em) => em.createQueryBuilder(Synth).update({ data: row.data }).execute(),
    ];
    for (const way of ways) await expect(service.transact(way)).rejects.toThrow(InvalidJsonError);
  });

  test('accepts an invalid stored document that does not change', async () => {
    await db.orm.em.execute(
      `insert into synths (id, nome, data) values ('old', 'Old', '{"demografia": {"idade": 121}}')`,
    );

    await service.transact(async (em) => {
      const synth = await em.findOneOrFail(Synth, 'old');
      anExperiment(em);
      await em.flush();
      synth.name = 'New';
    });

    expect(await db.orm.em.execute('select nome from synths')).toEqual([{ nome: 'New' }]);
  });

  test.for(['changes', 'removes'])('%s versioned rows only in the version that it has read', async (what) => {
    const keys = [await stored('One'), await stored('Two')];

    const refused = service.transact(async (em) => {
      const rows = await em.find(Experiment, { id: { $in: keys } });
      await db.transact(
        async ({ experiments }) => void (await experiments.update(keys[0] ?? '', { name: 'Other' })),
      );
      for (const row of rows) {
        if (what === 'changes') row.name = 'Mine';
        else em.remove(row);
      }
    });

    await expect(refused).rejects.toThrow(ContentionError);
    expect(await db.orm.em.execute('select name from experiments order by name')).toEqual([
      { name: 'Other' },
      { name: 'Two' },
    ]);
  });

  test('waits for a concurrent writer of the same versioned rows, and is refused', async () => {
    const keys = [await stored('One'), await stored('Two')];
    const bothHaveRead = Promise.withResolvers<void>();
    let missing = 2;
    const change = (name: string) =>
      service.transact(async (em) => {
        const rows = await em.find(Experiment, { id: { $in: keys } });
        if (--missing === 0) bothHaveRead.resolve();
        await bothHaveRead.promise;
        for (const row of rows) row.name = name;
      });

    const outcomes = await Promise.allSettled([change('Mine'), change('Yours')]);

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: expect.any(ContentionError),
    });
  });

  test('removes rows that a cascade deleted from the identity map', async () => {
    const key = await stored();

    await service.transact(async (em) => {
      const experiment = await em.findOneOrFail(Experiment, key);
      const run = anAnalysisRun(em, { experiment });
      await em.flush();
      em.remove(experiment);
      await em.flush();

      expect(em.getUnitOfWork().getById(AnalysisRun, run.id)).toBeUndefined();
      run.status = 'failed';
    });

    expect(await db.orm.em.execute('select count(*)::int as n from analysis_runs')).toEqual([{ n: 0 }]);
  });

  test('refuses a flush outside a transaction', async () => {
    await expect(
      service.outside(async (em) => {
        anExperiment(em);
        await em.flush();
      }),
    ).rejects.toThrow(ReadOnlyError);
  });

  test('gets errors of the package, with the violated constraint', async () => {
    const experiment = await stored();
    const begin = () =>
      service.transact(
        async (em) => void anAnalysisRun(em, { experiment: em.getReference(Experiment, experiment) }),
      );
    await begin();

    await expect(begin()).rejects.toThrow(DuplicateError);
    await expect(begin()).rejects.toMatchObject({ constraint: 'uq_analysis_runs_experiment_id' });
  });

  test('loads rows by COPY in its transaction', async () => {
    const rows = [
      { id: 'syn_1', name: 'Ana Lima' },
      { id: 'syn_2', name: 'Rui Melo' },
    ];

    await service.transact(async (em) => {
      const counts = await loadRows(new UnitOfWork(em), { entity: Synth, mode: 'append', rows });
      expect(counts).toMatchObject({ rows: 2 });
      await expect(em.count(Synth)).resolves.toBe(2);
    });

    expect(await db.orm.em.execute('select id from synths order by id')).toEqual([
      { id: 'syn_1' },
      { id: 'syn_2' },
    ]);
  });

  test.for(writeCases)('writes by $name', async ({ write }) => {
    const world = await db.transact(async (uow) => aWorld(uow, 2));

    const writing = service.transact(async (em) => {
      await write(new UnitOfWork(em), world);
    });

    await expect(writing).resolves.toBeUndefined();
  });

  // A join table has none.
  const withRepository = metadata.filter(({ className }) => `${className}Repository` in repositories);
  test.for(withRepository)('returns the repository of $className', ({ class: entity, className }) => {
    const found = service.em.getRepository(entity);

    expect(found).toBeInstanceOf(Reflect.get(repositories, `${className}Repository`));
  });

  test('runs its repositories in the current transaction', async () => {
    const name = await service.transact(async (em) => {
      const repository = em.getRepository(Experiment);
      const { id } = repository.add({ name: 'Short checkout', hypothesis: 'Fewer steps sell more' });
      return (await repository.get(id)).name;
    });

    expect(name).toBe('Short checkout');
    expect(await db.orm.em.execute('select name from experiments')).toEqual([{ name }]);
  });

  test('keeps its pool slots when the server ends connections in transactions', async () => {
    const small = await open(db.url, { pool: { max: 1, acquireTimeout: 2_000 } });
    try {
      for (let round = 0; round < 3; round++) {
        const killed = small.transact(async (em) => {
          const [{ pid } = { pid: 0 }] = await em.execute<{ pid: number }[]>(
            'select pg_backend_pid() as pid',
          );
          await db.orm.em.execute('select pg_terminate_backend(?, 5000)', [pid]);
          await em.execute('select 1');
        });
        await expect(killed).rejects.toMatchObject({ code: 'connection_lost' });
      }
      await expect(small.transact((em) => em.execute('select 1 as one'))).resolves.toEqual([{ one: 1 }]);
    } finally {
      await small.close();
    }
  });

  test('gets an error when the pool is exhausted', async () => {
    const small = await open(db.url, { pool: { max: 1, acquireTimeout: 500 } });
    try {
      await small.transact(async () => {
        await expect(
          small.outside((em) => em.fork().transactional((other) => other.execute('select 1'))),
        ).rejects.toThrow(PoolTimeoutError);
      });
    } finally {
      await small.close();
    }
  });
});
