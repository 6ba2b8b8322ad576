import type { EntityManager } from '@mikro-orm/postgresql';
import { ChartInsight, Experiment, FeatureScorecard, InterviewGuide } from '../../src/entities.ts';
import { aChartInsight, aFeatureScorecard, anExperiment, anInterviewGuide } from '../../src/testing/index.ts';

/** A table with `updated_at`, and the ways to change its row `k`. */
export interface Changing {
  table: string;
  key: string;
  /** A column that is none of the keys or times, and a new value for it, in SQL. */
  column: string;
  value: string;
  stage: (em: EntityManager) => object;
  flush: (em: EntityManager) => Promise<unknown>;
  upsert: (em: EntityManager) => Promise<unknown>;
  nativeUpdate: (em: EntityManager, time?: { updatedAt: Date }) => Promise<unknown>;
  queryBuilder: (em: EntityManager) => Promise<unknown>;
}

const scorecard = {
  id: 'a1b2c3d4',
  identification: { feature_name: 'new', use_scenario: 'new' },
  description_text: 'new',
  complexity: { score: 0 },
  initial_effort: { score: 0 },
  perceived_risk: { score: 0 },
  time_to_value: { score: 0 },
};

/** The four tables with `updated_at`. */
export const changingTables: Changing[] = [
  {
    table: 'experiments',
    key: 'id',
    column: 'description',
    value: `'new'`,
    stage: (em) => anExperiment(em, { id: 'k' }),
    flush: async (em) => {
      (await em.findOneOrFail(Experiment, 'k')).description = 'new';
      await em.flush();
    },
    upsert: (em) => em.upsert(Experiment, { id: 'k', name: 'new', hypothesis: 'new' }),
    nativeUpdate: (em, time) => em.nativeUpdate(Experiment, { id: 'k' }, { description: 'new', ...time }),
    queryBuilder: (em) =>
      em.createQueryBuilder(Experiment).update({ description: 'new' }).where({ id: 'k' }).execute(),
  },
  {
    table: 'interview_guide',
    key: 'experiment_id',
    column: 'questions',
    value: `'new'`,
    stage: (em) => anInterviewGuide(em, { experiment: anExperiment(em, { id: 'k' }) }),
    flush: async (em) => {
      (await em.findOneOrFail(InterviewGuide, 'k')).questions = 'new';
      await em.flush();
    },
    upsert: (em) => em.upsert(InterviewGuide, { experiment: 'k', questions: 'new' }),
    nativeUpdate: (em, time) =>
      em.nativeUpdate(InterviewGuide, { experiment: 'k' }, { questions: 'new', ...time }),
    queryBuilder: (em) =>
      em.createQueryBuilder(InterviewGuide).update({ questions: 'new' }).where({ experiment: 'k' }).execute(),
  },
  {
    table: 'chart_insights',
    key: 'id',
    column: 'response_json',
    value: `'{"summary": "new"}'`,
    stage: (em) => aChartInsight(em, { id: 'k', simulationId: 'sim_1' }),
    flush: async (em) => {
      (await em.findOneOrFail(ChartInsight, 'k')).responseJson.summary = 'new';
      await em.flush();
    },
    // By its other key.
    upsert: (em) =>
      em.upsert(ChartInsight, {
        simulationId: 'sim_1',
        insightType: 'distribution',
        responseJson: { summary: 'new' },
      }),
    nativeUpdate: (em, time) =>
      em.nativeUpdate(ChartInsight, { id: 'k' }, { responseJson: { summary: 'new' }, ...time }),
    queryBuilder: (em) =>
      em
        .createQueryBuilder(ChartInsight)
        .update({ responseJson: { summary: 'new' } })
        .where({ id: 'k' })
        .execute(),
  },
  {
    table: 'feature_scorecards',
    key: 'id',
    column: 'data',
    value: `'{"summary": "new"}'`,
    stage: (em) => aFeatureScorecard(em, { id: 'k' }),
    flush: async (em) => {
      (await em.findOneOrFail(FeatureScorecard, 'k')).data.description_text = 'new';
      await em.flush();
    },
    upsert: (em) => em.upsert(FeatureScorecard, { id: 'k', data: scorecard }),
    nativeUpdate: (em, time) => em.nativeUpdate(FeatureScorecard, { id: 'k' }, { data: scorecard, ...time }),
    queryBuilder: (em) =>
      em.createQueryBuilder(FeatureScorecard).update({ data: scorecard }).where({ id: 'k' }).execute(),
  },
];
