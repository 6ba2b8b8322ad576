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
} from '../../repositories/index.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import { door } from './door.ts';
import { runUngated } from './inner-unit.ts';
import { UnitEntityManager } from './unit-entity-manager.ts';
import type { UnitGate } from './unit-gate.ts';

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

  constructor(em: EntityManager) {
    this.em = em;
  }

  get analysisCache(): AnalysisCacheRepository {
    return this.#behindDoor('analysisCache', new AnalysisCacheRepository(this.em));
  }

  get analysisRuns(): AnalysisRunRepository {
    return this.#behindDoor('analysisRuns', new AnalysisRunRepository(this.em));
  }

  get chartInsights(): ChartInsightRepository {
    return this.#behindDoor('chartInsights', new ChartInsightRepository(this.em));
  }

  get experimentDocuments(): ExperimentDocumentRepository {
    return this.#behindDoor('experimentDocuments', new ExperimentDocumentRepository(this.em));
  }

  get experiments(): ExperimentRepository {
    return this.#behindDoor('experiments', new ExperimentRepository(this.em));
  }

  get explorations(): ExplorationRepository {
    return this.#behindDoor('explorations', new ExplorationRepository(this.em));
  }

  /** @deprecated Lives on for its data. */
  get featureScorecards(): FeatureScorecardRepository {
    return this.#behindDoor('featureScorecards', new FeatureScorecardRepository(this.em));
  }

  get interviewGuides(): InterviewGuideRepository {
    return this.#behindDoor('interviewGuides', new InterviewGuideRepository(this.em));
  }

  get regionAnalyses(): RegionAnalysisRepository {
    return this.#behindDoor('regionAnalyses', new RegionAnalysisRepository(this.em));
  }

  get researchExecutions(): ResearchExecutionRepository {
    return this.#behindDoor('researchExecutions', new ResearchExecutionRepository(this.em));
  }

  get scenarioNodes(): ScenarioNodeRepository {
    return this.#behindDoor('scenarioNodes', new ScenarioNodeRepository(this.em));
  }

  get sensitivityResults(): SensitivityResultRepository {
    return this.#behindDoor('sensitivityResults', new SensitivityResultRepository(this.em));
  }

  /** @deprecated Lives on for its data. */
  get simulationRuns(): SimulationRunRepository {
    return this.#behindDoor('simulationRuns', new SimulationRunRepository(this.em));
  }

  get synthGroups(): SynthGroupRepository {
    return this.#behindDoor('synthGroups', new SynthGroupRepository(this.em));
  }

  get synthOutcomes(): SynthOutcomeRepository {
    return this.#behindDoor('synthOutcomes', new SynthOutcomeRepository(this.em));
  }

  get synths(): SynthRepository {
    return this.#behindDoor('synths', new SynthRepository(this.em));
  }

  get transcripts(): TranscriptRepository {
    return this.#behindDoor('transcripts', new TranscriptRepository(this.em));
  }

  /**
   * Writes what has changed so far, without ending the unit of work.
   *
   * @throws DataError when PostgreSQL refuses the change. The transaction can't go on then, unless this ran inside `transact` of a
   * unit of work, whose savepoint takes it back.
   */
  flush(): Promise<void> {
    // A gate translates by itself, and has to know the promise that the caller has.
    return this.#gate
      ? this.em.flush()
      : this.em.flush().catch((error: unknown) => Promise.reject(toDataError(error)));
  }

  /**
   * Runs `work` within this unit of work, behind a savepoint: when it throws, what it wrote is rolled back, and this unit of work goes on
   * with what it had before, in the database and in memory. It waits for the calls that run. While it runs, other code may not use this
   * unit of work, nor begin a second one.
   *
   * @throws ConcurrentUseError while another one runs; UnfinishedWorkError when `work` returns before a call of it has ended; DataError when
   * PostgreSQL refuses the change. What `work` throws is thrown unchanged.
   */
  transact<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    const inner = (em: EntityManager): Promise<T> => work(new UnitOfWork(em));
    return this.#gate ? this.em.transactional(inner) : runUngated(this.em, inner);
  }

  get #gate(): UnitGate | undefined {
    return UnitEntityManager.gateOf(this.em);
  }

  #behindDoor<R extends object>(name: string, repository: R): R {
    return this.#gate ? door(this.#gate, name, repository) : repository;
  }
}
