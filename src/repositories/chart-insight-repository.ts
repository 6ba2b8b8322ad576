import type { EntityManager } from '@mikro-orm/postgresql';
import { ChartInsight } from '../entities/chart-insight.ts';
import { Repository } from './repository.ts';

/** What a language model said of charts. */
export class ChartInsightRepository extends Repository<ChartInsight> {
  constructor(em: EntityManager) {
    super(em, ChartInsight);
  }
}
