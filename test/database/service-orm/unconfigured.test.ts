import { RequestContext } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ourEntities } from '../../../src/postgres/orm/entities/our-entities.ts';
import { Experiment, InterviewGuide } from '../../../src/entities.ts';
import { InvalidJsonError, UnitOfWork, withSynthLab } from '../../../src/index.ts';
import { ExperimentRepository } from '../../../src/repositories/index.ts';
import { TestDatabase, aSynth, anAnalysisRun, anExperiment } from '../../../src/testing/index.ts';

/** The process warnings of our code. */
async function warnings(work: () => Promise<unknown>): Promise<string[]> {
  const emitted: string[] = [];
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation((_warning, given) => {
    emitted.push(String(typeof given === 'object' && 'code' in given ? given.code : ''));
  });
  try {
    await work();
  } finally {
    emit.mockRestore();
  }
  return emitted;
}

function anOutcomeOf(synthId: string) {
  return { synthId, didNotTryRate: 0.5, failedRate: 0.25, successRate: 0.25, synthAttributes: null };
}

describe('a MikroORM with our entities but not our configuration', () => {
  let db: TestDatabase;
  let orm: MikroORM;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await warnings(async () => {
      orm = await MikroORM.init({ entities: [...ourEntities], clientUrl: db.url });
    });
  });
  beforeEach(() => db.orm.em.execute('truncate experiments cascade'));
  afterAll(async () => {
    await orm.close();
    await db.drop();
  });

  test.for([
    { name: 'all', entities: [...ourEntities] },
    { name: 'one that has a shape', entities: [Experiment] },
    { name: 'one that has a version alone', entities: [InterviewGuide] },
  ])('emits one warning when it is initialized with $name', async ({ entities }) => {
    expect(await warnings(() => MikroORM.init({ entities, clientUrl: db.url }))).toEqual([
      'SYNTHDB_NOT_CONFIGURED',
    ]);
    expect(await warnings(() => MikroORM.init(withSynthLab({ clientUrl: db.url })))).toEqual([]);
  });

  test('refuses invalid documents', async () => {
    const em = orm.em.fork();
    const experiment = anExperiment(em);
    await em.flush();
    Object.assign(experiment, { scorecardData: { nonsense: 1 } });

    await expect(em.flush()).rejects.toThrow(InvalidJsonError);
    await expect(em.nativeUpdate(Experiment, {}, { scorecardData: Object({ nonsense: 1 }) })).rejects.toThrow(
      InvalidJsonError,
    );
    expect(await db.orm.em.execute('select scorecard_data from experiments')).toEqual([
      { scorecard_data: null },
    ]);
  });

  test('writes versioned rows only in the version that it has read', async () => {
    const keys = await db.transact(async ({ em }) => [anExperiment(em).id, anExperiment(em).id]);

    const refused = orm.em.fork().transactional(async (em) => {
      const [one, two] = await em.find(Experiment, { id: { $in: keys } });
      await db.transact(
        async ({ experiments }) => void (await experiments.update(keys[0] ?? '', { name: 'Other' })),
      );
      for (const row of [one, two]) if (row) em.remove(row);
    });

    await expect(refused).rejects.toThrow(/optimistic lock/);
  });

  test('changes several versioned rows only in a transaction', async () => {
    await db.transact(async ({ em }) => void [anExperiment(em), anExperiment(em)]);
    const em = orm.em.fork();
    for (const row of await em.find(Experiment, {})) row.name = 'Other';

    await expect(em.flush()).rejects.toThrow('Experiment rows are versioned: change or remove them in a');

    expect(await db.orm.em.execute(`select from experiments where name = 'Other'`)).toEqual([]);
  });

  test('is not used by a database that is open at the same time', async () => {
    const other = await TestDatabase.create();
    try {
      await RequestContext.create(orm.em, () =>
        orm.em.transactional(() => other.transact(async ({ em }) => void anExperiment(em))),
      );

      const counts = [db, other].map(({ orm: { em } }) =>
        em.execute('select count(*)::int as n from experiments'),
      );
      expect(await Promise.all(counts)).toEqual([[{ n: 0 }], [{ n: 1 }]]);
    } finally {
      await other.drop();
    }
  });

  test('has our repositories', () => {
    expect(orm.em.getRepository(Experiment)).toBeInstanceOf(ExperimentRepository);
  });

  test('copies rows', async () => {
    const saved = await orm.em.fork().transactional(async (em) => {
      const { id } = anAnalysisRun(em);
      const synths = Array.from({ length: 500 }, () => aSynth(em).id);
      await em.flush();
      return new UnitOfWork(em).synthOutcomes.saveAll(id, synths.map(anOutcomeOf));
    });

    expect(saved).toBe(500);
    expect(await db.orm.em.execute('select count(*)::int as n from synth_outcomes')).toEqual([{ n: 500 }]);
  });
});
