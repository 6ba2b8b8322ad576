import type { EntityManager } from '@mikro-orm/postgresql';
import { Exploration } from '../entities/exploration.ts';
import { Repository } from './repository.ts';

/** Searches for better scorecards. */
export class ExplorationRepository extends Repository<Exploration> {
  constructor(em: EntityManager) {
    super(em, Exploration);
  }
}
