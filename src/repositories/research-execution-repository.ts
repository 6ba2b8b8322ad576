import type { EntityManager } from '@mikro-orm/postgresql';
import { ResearchExecution } from '../entities/research-execution.ts';
import { Repository } from './repository.ts';

/** Rounds of interviews. */
export class ResearchExecutionRepository extends Repository<ResearchExecution> {
  constructor(em: EntityManager) {
    super(em, ResearchExecution);
  }
}
