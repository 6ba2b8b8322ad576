import type { EntityManager } from '@mikro-orm/postgresql';
import { AnalysisCache } from '../entities/analysis-cache.ts';
import { Repository } from './repository.ts';

/** Computed charts of analysis runs. */
export class AnalysisCacheRepository extends Repository<AnalysisCache> {
  constructor(em: EntityManager) {
    super(em, AnalysisCache);
  }
}
