import type { EntityManager } from '@mikro-orm/postgresql';
import { FeatureScorecard } from '../../entities/legacy/feature-scorecard.ts';
import { Repository } from '../repository.ts';

/**
 * Scorecards from before scorecards lived in their experiment.
 *
 * @deprecated Lives on for its data.
 */
export class FeatureScorecardRepository extends Repository<FeatureScorecard> {
  constructor(em: EntityManager) {
    super(em, FeatureScorecard);
  }
}
