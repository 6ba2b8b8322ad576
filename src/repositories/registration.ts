import { EntitySchema, type IDatabaseDriver } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/postgresql';
import { AnalysisCache } from '../entities/analysis-cache.ts';
import { AnalysisRun } from '../entities/analysis-run.ts';
import { ChartInsight } from '../entities/chart-insight.ts';
import { Experiment } from '../entities/experiment.ts';
import { ExperimentDocument } from '../entities/experiment-document.ts';
import { Exploration } from '../entities/exploration.ts';
import { FeatureScorecard } from '../entities/legacy/feature-scorecard.ts';
import { InterviewGuide } from '../entities/interview-guide.ts';
import { RegionAnalysis } from '../entities/region-analysis.ts';
import { ResearchExecution } from '../entities/research-execution.ts';
import { ScenarioNode } from '../entities/scenario-node.ts';
import { SensitivityResult } from '../entities/sensitivity-result.ts';
import { SimulationRun } from '../entities/legacy/simulation-run.ts';
import { Synth } from '../entities/synth.ts';
import { SynthGroup } from '../entities/synth-group.ts';
import { SynthOutcome } from '../entities/synth-outcome.ts';
import { Transcript } from '../entities/transcript.ts';
import { AnalysisCacheRepository } from './analysis-cache-repository.ts';
import { AnalysisRunRepository } from './analysis-run-repository.ts';
import { ChartInsightRepository } from './chart-insight-repository.ts';
import { ExperimentRepository } from './experiment-repository.ts';
import { ExperimentDocumentRepository } from './experiment-document-repository.ts';
import { ExplorationRepository } from './exploration-repository.ts';
import { FeatureScorecardRepository } from './legacy/feature-scorecard-repository.ts';
import { InterviewGuideRepository } from './interview-guide-repository.ts';
import { RegionAnalysisRepository } from './region-analysis-repository.ts';
import { ResearchExecutionRepository } from './research-execution-repository.ts';
import { ScenarioNodeRepository } from './scenario-node-repository.ts';
import { SensitivityResultRepository } from './sensitivity-result-repository.ts';
import { checkArguments } from './signatures/index.ts';
import { SimulationRunRepository } from './legacy/simulation-run-repository.ts';
import { SynthRepository } from './synth-repository.ts';
import { SynthGroupRepository } from './synth-group-repository.ts';
import { SynthOutcomeRepository } from './synth-outcome-repository.ts';
import { TranscriptRepository } from './transcript-repository.ts';

const repositories = [
  [AnalysisCache, AnalysisCacheRepository],
  [AnalysisRun, AnalysisRunRepository],
  [ChartInsight, ChartInsightRepository],
  [Experiment, ExperimentRepository],
  [ExperimentDocument, ExperimentDocumentRepository],
  [Exploration, ExplorationRepository],
  [FeatureScorecard, FeatureScorecardRepository],
  [InterviewGuide, InterviewGuideRepository],
  [RegionAnalysis, RegionAnalysisRepository],
  [ResearchExecution, ResearchExecutionRepository],
  [ScenarioNode, ScenarioNodeRepository],
  [SensitivityResult, SensitivityResultRepository],
  [SimulationRun, SimulationRunRepository],
  [Synth, SynthRepository],
  [SynthGroup, SynthGroupRepository],
  [SynthOutcome, SynthOutcomeRepository],
  [Transcript, TranscriptRepository],
] as const;

type Pair = (typeof repositories)[number];

/** The class of a repository. */
export type ClassOf<Repository> = ClassIn<Pair[1], Repository>;
type ClassIn<Class, Repository> = Class extends { readonly prototype: Repository } ? Class : never;

type RepositoryOf<Entity> = Extract<Pair, readonly [Entity, unknown]>[1]['prototype'];

// An entity can't name its repository, which imports it. The ORM takes it from the schema, whenever it is said.
for (const [entity, repository] of repositories) {
  checkArguments(repository);
  EntitySchema.REGISTRY.get(entity)?.setCustomRepository(() => repository);
}

declare module '@mikro-orm/core' {
  interface EntityManager<Driver extends IDatabaseDriver = IDatabaseDriver> {
    getRepository<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
    repo<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
  }
}

declare module '@mikro-orm/postgresql' {
  interface SqlEntityManager<Driver extends AbstractSqlDriver = AbstractSqlDriver> {
    getRepository<Entity extends Pair[0]>(entity: Entity): RepositoryOf<Entity>;
  }
}
