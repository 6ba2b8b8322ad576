import type { EntityManager } from '@mikro-orm/postgresql';
import { AnalysisRun } from '../entities/analysis-run.ts';
import { Repository } from './repository.ts';

/** Simulations of experiments. */
export class AnalysisRunRepository extends Repository<AnalysisRun> {
  constructor(em: EntityManager) {
    super(em, AnalysisRun);
  }
}
