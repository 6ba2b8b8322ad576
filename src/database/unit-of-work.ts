import type { EntityManager } from '@mikro-orm/postgresql';
import {
  AnalysisRunRepository,
  ExperimentRepository,
  SynthGroupRepository,
  SynthOutcomeRepository,
  SynthRepository,
} from '../repositories/index.ts';
import { toDataError } from './translate-error.ts';

/** One piece of work on the database: its repositories share what they have loaded, and what they change is written together. */
export class UnitOfWork {
  /** The ORM's own handle, for what no repository offers. */
  readonly em: EntityManager;

  constructor(em: EntityManager) {
    this.em = em;
  }

  get experiments(): ExperimentRepository {
    return new ExperimentRepository(this.em);
  }

  get synthGroups(): SynthGroupRepository {
    return new SynthGroupRepository(this.em);
  }

  get synths(): SynthRepository {
    return new SynthRepository(this.em);
  }

  get analysisRuns(): AnalysisRunRepository {
    return new AnalysisRunRepository(this.em);
  }

  get synthOutcomes(): SynthOutcomeRepository {
    return new SynthOutcomeRepository(this.em);
  }

  /**
   * Writes what has changed so far, without ending the unit of work; for a question that must see it.
   *
   * @throws DataError when PostgreSQL refuses the change.
   */
  async flush(): Promise<void> {
    try {
      await this.em.flush();
    } catch (error) {
      throw toDataError(error);
    }
  }
}
