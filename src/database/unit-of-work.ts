import type { EntityManager } from '@mikro-orm/postgresql';
import {
  AnalysisCacheRepository,
  AnalysisRunRepository,
  ChartInsightRepository,
  ExperimentRepository,
  ExperimentDocumentRepository,
  ExplorationRepository,
  FeatureScorecardRepository,
  InterviewGuideRepository,
  RegionAnalysisRepository,
  ResearchExecutionRepository,
  ScenarioNodeRepository,
  SensitivityResultRepository,
  SimulationRunRepository,
  SynthRepository,
  SynthGroupRepository,
  SynthOutcomeRepository,
  TranscriptRepository,
} from '../repositories/index.ts';
import { rememberLoaded } from './loaded-entities.ts';
import { toDataError } from './translate-error.ts';

type Reads = 'find' | 'get' | 'list' | 'page' | 'count' | 'exists' | 'search';

/** What of a repository does not write. */
type Reading<R> = {
  readonly [Method in keyof R as Method extends `${Reads}${string}` ? Method : never]: R[Method];
};

/** A unit of work whose repositories only read. */
export type ReadingUnitOfWork = {
  readonly [
    Name in keyof UnitOfWork as UnitOfWork[Name] extends object
      ? Name extends 'em' | 'flush' | 'transact'
        ? never
        : Name
      : never
  ]: Reading<UnitOfWork[Name]>;
};

/**
 * One piece of work on the database: its repositories share what they have loaded, and what they change is written together.
 * Two units of work share nothing.
 */
export class UnitOfWork {
  /** The ORM's own handle, for what no repository offers. */
  readonly em: EntityManager;
  #innerRuns = false;

  constructor(em: EntityManager) {
    this.em = em;
  }

  get analysisCache(): AnalysisCacheRepository {
    return new AnalysisCacheRepository(this.em);
  }

  get analysisRuns(): AnalysisRunRepository {
    return new AnalysisRunRepository(this.em);
  }

  get chartInsights(): ChartInsightRepository {
    return new ChartInsightRepository(this.em);
  }

  get experimentDocuments(): ExperimentDocumentRepository {
    return new ExperimentDocumentRepository(this.em);
  }

  get experiments(): ExperimentRepository {
    return new ExperimentRepository(this.em);
  }

  get explorations(): ExplorationRepository {
    return new ExplorationRepository(this.em);
  }

  /** @deprecated Lives on for its data. */
  get featureScorecards(): FeatureScorecardRepository {
    return new FeatureScorecardRepository(this.em);
  }

  get interviewGuides(): InterviewGuideRepository {
    return new InterviewGuideRepository(this.em);
  }

  get regionAnalyses(): RegionAnalysisRepository {
    return new RegionAnalysisRepository(this.em);
  }

  get researchExecutions(): ResearchExecutionRepository {
    return new ResearchExecutionRepository(this.em);
  }

  get scenarioNodes(): ScenarioNodeRepository {
    return new ScenarioNodeRepository(this.em);
  }

  get sensitivityResults(): SensitivityResultRepository {
    return new SensitivityResultRepository(this.em);
  }

  /** @deprecated Lives on for its data. */
  get simulationRuns(): SimulationRunRepository {
    return new SimulationRunRepository(this.em);
  }

  get synthGroups(): SynthGroupRepository {
    return new SynthGroupRepository(this.em);
  }

  get synthOutcomes(): SynthOutcomeRepository {
    return new SynthOutcomeRepository(this.em);
  }

  get synths(): SynthRepository {
    return new SynthRepository(this.em);
  }

  get transcripts(): TranscriptRepository {
    return new TranscriptRepository(this.em);
  }

  /**
   * Writes what has changed so far, without ending the unit of work.
   *
   * @throws DataError when PostgreSQL refuses the change. The transaction can't go on then, unless this ran inside `transact` of a
   * unit of work, whose savepoint takes it back.
   */
  async flush(): Promise<void> {
    try {
      await this.em.flush();
    } catch (error) {
      throw toDataError(error);
    }
  }

  /**
   * Runs `work` within this unit of work, behind a savepoint: when it throws, what it wrote is taken back, and this unit of work
   * goes on with what it had before, in the database and in memory. One at a time: while it runs, a second one is refused.
   *
   * @throws DataError when PostgreSQL refuses the change; whatever `work` throws comes through unchanged.
   */
  async transact<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    // They share a connection: whichever failed would take back what the others wrote, and those would not know.
    if (this.#innerRuns) throw new Error('another `transact` within this unit of work has not ended yet');
    this.#innerRuns = true;
    try {
      return await this.#within(work);
    } finally {
      this.#innerRuns = false;
    }
  }

  async #within<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    await this.flush();
    const restore = rememberLoaded(this.em);
    try {
      return await this.em.transactional((em) => work(new UnitOfWork(em)));
    } catch (error) {
      restore();
      throw toDataError(error);
    }
  }
}
