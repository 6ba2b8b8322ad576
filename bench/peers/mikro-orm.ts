import { defineEntity, p } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys } from './rows.ts';

const Experiment = defineEntity({
  name: 'PlainExperiment',
  tableName: 'experiments',
  properties: {
    id: p.text().primary(),
    name: p.text(),
    hypothesis: p.text(),
    description: p.text().nullable(),
    scorecardData: p.json().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime().nullable(),
    status: p.text().default('active'),
    rowVersion: p.integer().default(1),
  },
});
const Outcome = defineEntity({
  name: 'PlainOutcome',
  tableName: 'synth_outcomes',
  properties: {
    id: p.text().primary(),
    analysisId: p.text(),
    synthId: p.text(),
    didNotTryRate: p.double(),
    failedRate: p.double(),
    successRate: p.double(),
    synthAttributes: p.json().nullable(),
  },
});
const Node = defineEntity({
  name: 'PlainNode',
  tableName: 'scenario_nodes',
  properties: {
    id: p.text().primary(),
    explorationId: p.text(),
    parentId: p.text().nullable(),
    depth: p.integer(),
    actionApplied: p.text().nullable(),
    actionCategory: p.text().nullable(),
    rationale: p.text().nullable(),
    shortAction: p.text().nullable(),
    scorecardParams: p.json(),
    simulationResults: p.json().nullable(),
    executionTimeSeconds: p.double().nullable(),
    nodeStatus: p.text(),
    createdAt: p.datetime(),
    rowVersion: p.integer().default(1),
  },
});

/** MikroORM with plain entities, without the relations, versions and checks of ours. */
export function mikroOrm({ database, max, ...place }: Place): Peer {
  const orm = new MikroORM({
    ...place,
    dbName: database,
    pool: { max },
    entities: [Experiment, Outcome, Node],
    ensureDatabase: false,
  });
  return {
    name: 'MikroORM plain',
    tasks: {
      'get one by key (managed)': () => orm.em.fork().findOne(Experiment, seeded.experiment),
      '500 outcomes of an analysis (JSON in each)': () =>
        orm.em
          .fork()
          .find(Outcome, { analysisId: seeded.analysis }, { orderBy: { synthId: 'asc' }, limit: 10_000 }),
      'insert one in a transaction': () =>
        orm.em
          .fork()
          .transactional((em) =>
            em.persist(em.create(Experiment, { ...newExperiment(), scorecardData: null })),
          ),
      'insert 5,000 outcomes': () =>
        orm.em.fork().transactional((em) => em.insertMany(Outcome, newOutcomes())),
      'load 500, change 200, commit (managed)': () =>
        orm.em.fork().transactional(async (em) => {
          const rows = await em.find(Node, { explorationId: seeded.exploration }, { orderBy: { id: 'asc' } });
          for (const row of rows.slice(0, 200)) row.executionTimeSeconds = Math.random();
        }),
      'change 200 of 500 by one set-based call': () =>
        orm.em
          .fork()
          .transactional((em) =>
            em.nativeUpdate(Node, { id: { $in: nodeKeys } }, { nodeStatus: 'dominated' }),
          ),
    },
    notes: [
      'read model and page: left out; their flags would be hand-written SQL',
      'change 200: returns no keys',
    ],
    close: () => orm.close(true),
  };
}
