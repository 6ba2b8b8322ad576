import type { EntityManager } from '@mikro-orm/postgresql';
import { RegionAnalysis } from '../entities/region-analysis.ts';
import { Repository } from './repository.ts';

/** Sets of synths that fail more than the rest. */
export class RegionAnalysisRepository extends Repository<RegionAnalysis> {
  constructor(em: EntityManager) {
    super(em, RegionAnalysis);
  }
}
