import 'reflect-metadata';
import { DataSource, EntitySchema, In } from 'typeorm';
import { attributes, seeded } from '../seed.ts';
import type { Peer, Place } from './peer.ts';
import { newExperiment, newOutcomes, nodeKeys, parts } from './rows.ts';

interface Experiment {
  id: string;
  name: string;
  hypothesis: string;
  description: string | null;
  scorecardData: object | null;
  createdAt: Date;
  updatedAt: Date | null;
  status: string;
  rowVersion: number;
}

interface Outcome {
  id: string;
  analysisId: string;
  synthId: string;
  didNotTryRate: number;
  failedRate: number;
  successRate: number;
  synthAttributes: typeof attributes | null;
}

interface Node {
  id: string;
  explorationId: string;
  parentId: string | null;
  depth: number;
  actionApplied: string | null;
  actionCategory: string | null;
  rationale: string | null;
  shortAction: string | null;
  scorecardParams: object;
  simulationResults: object | null;
  executionTimeSeconds: number | null;
  nodeStatus: string;
  createdAt: Date;
  rowVersion: number;
}

const text = (name: string) => ({ type: 'text', name }) as const;
const optional = (name: string) => ({ type: 'text', name, nullable: true }) as const;
const json = (name: string) => ({ type: 'jsonb', name, nullable: true }) as const;
const rate = (name: string) => ({ type: 'double precision', name, nullable: true }) as const;
const key = { type: 'text', primary: true } as const;
const version = { type: 'int', name: 'row_version', default: 1 } as const;

const experiments = new EntitySchema<Experiment>({
  name: 'experiment',
  tableName: 'experiments',
  columns: {
    id: key,
    name: text('name'),
    hypothesis: text('hypothesis'),
    description: optional('description'),
    scorecardData: json('scorecard_data'),
    createdAt: { type: 'timestamptz', name: 'created_at' },
    updatedAt: { type: 'timestamptz', name: 'updated_at', nullable: true },
    status: { type: 'text', default: 'active' },
    rowVersion: version,
  },
});
const outcomes = new EntitySchema<Outcome>({
  name: 'outcome',
  tableName: 'synth_outcomes',
  columns: {
    id: key,
    analysisId: text('analysis_id'),
    synthId: text('synth_id'),
    didNotTryRate: rate('did_not_try_rate'),
    failedRate: rate('failed_rate'),
    successRate: rate('success_rate'),
    synthAttributes: json('synth_attributes'),
  },
});
const nodes = new EntitySchema<Node>({
  name: 'node',
  tableName: 'scenario_nodes',
  columns: {
    id: key,
    explorationId: text('exploration_id'),
    parentId: optional('parent_id'),
    depth: { type: 'int' },
    actionApplied: optional('action_applied'),
    actionCategory: optional('action_category'),
    rationale: optional('rationale'),
    shortAction: optional('short_action'),
    scorecardParams: json('scorecard_params'),
    simulationResults: json('simulation_results'),
    executionTimeSeconds: rate('execution_time_seconds'),
    nodeStatus: text('node_status'),
    createdAt: { type: 'timestamptz', name: 'created_at' },
    rowVersion: version,
  },
});

export async function typeorm({ user, max, ...place }: Place): Promise<Peer> {
  const source = new DataSource({
    type: 'postgres',
    ...place,
    username: user,
    poolSize: max,
    entities: [experiments, outcomes, nodes],
  });
  await source.initialize();
  return {
    name: 'TypeORM',
    tasks: {
      'get one by key (managed)': () =>
        source.getRepository(experiments).findOneBy({ id: seeded.experiment }),
      '500 outcomes of an analysis (JSON in each)': () =>
        source
          .getRepository(outcomes)
          .find({ where: { analysisId: seeded.analysis }, order: { synthId: 'asc' }, take: 10_000 }),
      'insert one in a transaction': () =>
        source.transaction((em) => em.getRepository(experiments).insert(newExperiment())),
      'insert 5,000 outcomes': () =>
        source.transaction(async (em) => {
          for (const part of parts(newOutcomes(), 5_000)) await em.getRepository(outcomes).insert(part);
        }),
      'load 500, change 200, commit (managed)': () =>
        source.transaction(async (em) => {
          const rows = await em
            .getRepository(nodes)
            .find({ where: { explorationId: seeded.exploration }, order: { id: 'asc' } });
          const changed = rows.slice(0, 200);
          for (const row of changed) row.executionTimeSeconds = Math.random();
          await em.getRepository(nodes).save(changed);
        }),
      'change 200 of 500 by one set-based call': () =>
        source.transaction((em) =>
          em.getRepository(nodes).update({ id: In(nodeKeys) }, { nodeStatus: 'dominated' }),
        ),
    },
    notes: [
      'read model and page: left out; their flags would be hand-written SQL',
      'load 500, change 200: save reads the 200 rows again and sends one update for each',
      'change 200: returns no keys',
    ],
    close: () => source.destroy(),
  };
}
