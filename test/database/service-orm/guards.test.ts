import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { unconnected } from '../../../src/postgres/orm/unconnected.ts';
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
import { Note, createNotes } from './note.ts';
import { openings, type Opened } from './openings.ts';

const metadata = [...unconnected().getMetadata().getAll().values()];
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

/** Stages a row of an entity, with all that it points at. */
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

/** The key of an experiment that is stored. */
function stored(name = 'Short checkout'): Promise<string> {
  return db.transact(async ({ em }) => anExperiment(em, { name }).id);
}

describe.for(openings)('a service with $name', ({ open }) => {
  let service: Opened;
  beforeAll(async () => void (service = await open(db.url)));
  afterAll(() => service.close());

  test.for(shapedColumns)(
    'refuses a document out of shape in $column',
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

  test('refuses a document out of shape that is inserted or upserted past a flush', async () => {
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

  test('passes over a row that is out of shape already, as long as its document stays', async () => {
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

  test.for(['changes', 'removes'])('%s versioned rows only as it has seen them', async (what) => {
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

  test('waits for another who changes the same versioned rows, and is refused then', async () => {
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

  test('forgets what the database deletes along with a row', async () => {
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

  test('gets the errors of the package, with the constraint that was broken', async () => {
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

  test.for(metadata)('has the repository of $className for it', ({ class: entity, className }) => {
    const found = service.em.getRepository(entity);

    expect(found).toBeInstanceOf(Reflect.get(repositories, `${className}Repository`));
  });

  test('uses that repository in the transaction that runs', async () => {
    const name = await service.transact(async (em) => {
      const repository = em.getRepository(Experiment);
      const { id } = repository.add({ name: 'Short checkout', hypothesis: 'Fewer steps sell more' });
      return (await repository.get(id)).name;
    });

    expect(name).toBe('Short checkout');
    expect(await db.orm.em.execute('select name from experiments')).toEqual([{ name }]);
  });

  test('keeps its connections although servers end them in transactions', async () => {
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

  test('is told that the pool is used up', async () => {
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

describe.for(openings.slice(1))('entities of the service’s own, with $name', ({ open }) => {
  let service: Opened;
  beforeAll(async () => void (service = await open(db.url)));
  afterAll(() => service.close());

  test('are flushed outside a transaction, in a batch, by a version of their own kind', async () => {
    await service.outside(async (em) => {
      const notes = ['a', 'b'].map((id) => em.create(Note, { id, text: 'first' }));
      await em.persist(notes).flush();
      for (const note of notes) note.text = 'second';
      await em.flush();
    });

    expect(await db.orm.em.execute('select id, text from notes order by id')).toEqual([
      { id: 'a', text: 'second' },
      { id: 'b', text: 'second' },
    ]);
  });

  test('are written in one transaction with ours, and forgotten along with those that they belong to', async () => {
    await service.transact(async (em) => {
      const experiment = anExperiment(em);
      em.create(Note, { id: 'a', text: 'first', experiment });
      await em.flush();
      em.remove(experiment);
      await em.flush();
      expect(em.getUnitOfWork().getById(Note, 'a')).toBeUndefined();
    });

    expect(await db.orm.em.execute('select id from notes')).toEqual([]);
  });
});
