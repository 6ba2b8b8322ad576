// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { EntityManager as CoreEntityManager, EntityRepository } from '@mikro-orm/core';
import { MikroOrmModule } from '@mikro-orm/nestjs';
import { MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import type { Tables } from '../../src/entities/tables.ts';
import * as entities from '../../src/entities.ts';
import { withSynthLab } from '../../src/index.ts';
import type * as repositories from '../../src/repositories/index.ts';
import { Note } from '../database/service-orm/note.ts';

declare const em: EntityManager;
declare const core: CoreEntityManager;

// Each entity's repository is known by its type, whichever package's entity manager is asked.
export const found = {
  analysis_cache: em.getRepository(entities.AnalysisCache),
  analysis_runs: em.getRepository(entities.AnalysisRun),
  chart_insights: em.getRepository(entities.ChartInsight),
  experiment_documents: em.getRepository(entities.ExperimentDocument),
  experiments: em.getRepository(entities.Experiment),
  explorations: em.getRepository(entities.Exploration),
  feature_scorecards: em.getRepository(entities.FeatureScorecard),
  interview_guide: em.getRepository(entities.InterviewGuide),
  region_analyses: em.getRepository(entities.RegionAnalysis),
  research_executions: em.getRepository(entities.ResearchExecution),
  scenario_nodes: em.getRepository(entities.ScenarioNode),
  sensitivity_results: em.getRepository(entities.SensitivityResult),
  simulation_runs: em.getRepository(entities.SimulationRun),
  synth_groups: em.getRepository(entities.SynthGroup),
  synth_outcomes: em.getRepository(entities.SynthOutcome),
  synths: em.getRepository(entities.Synth),
  transcripts: em.getRepository(entities.Transcript),
} satisfies {
  analysis_cache: repositories.AnalysisCacheRepository;
  analysis_runs: repositories.AnalysisRunRepository;
  chart_insights: repositories.ChartInsightRepository;
  experiment_documents: repositories.ExperimentDocumentRepository;
  experiments: repositories.ExperimentRepository;
  explorations: repositories.ExplorationRepository;
  feature_scorecards: repositories.FeatureScorecardRepository;
  interview_guide: repositories.InterviewGuideRepository;
  region_analyses: repositories.RegionAnalysisRepository;
  research_executions: repositories.ResearchExecutionRepository;
  scenario_nodes: repositories.ScenarioNodeRepository;
  sensitivity_results: repositories.SensitivityResultRepository;
  simulation_runs: repositories.SimulationRunRepository;
  synth_groups: repositories.SynthGroupRepository;
  synth_outcomes: repositories.SynthOutcomeRepository;
  synths: repositories.SynthRepository;
  transcripts: repositories.TranscriptRepository;
} satisfies Record<keyof Tables, unknown>;

const experiments: repositories.ExperimentRepository[] = [
  em.repo(entities.Experiment),
  core.getRepository(entities.Experiment),
];
// @ts-expect-error -- another entity's repository
const synths: repositories.SynthRepository = em.getRepository(entities.Experiment);
// @ts-expect-error -- it has our methods, not the ORM's
void em.getRepository(entities.Experiment).findOne({ name: 'Short checkout' });
// That of a service's own entity is the ORM's.
const notes: EntityRepository<Note> = em.getRepository(Note);
void [experiments, synths, notes];

void MikroORM.init(
  withSynthLab({ entities: [Note], clientUrl: 'postgresql://app@host/lab' }, { pool: { max: 20 } }),
);
void MikroOrmModule.forRoot(withSynthLab({ entities: [Note] }));
// @ts-expect-error -- a host is part of clientUrl
withSynthLab({ host: 'elsewhere' });
// @ts-expect-error -- the pool is that of the second argument
withSynthLab({ pool: { max: 20 } });
// @ts-expect-error -- not a pool mode
withSynthLab({}, { poolMode: 'odd' });
