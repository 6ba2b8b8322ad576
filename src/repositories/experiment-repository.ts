import type { EntityManager } from '@mikro-orm/postgresql';
import { Experiment } from '../entities/experiment.ts';
import { Repository } from './repository.ts';

/** Product hypotheses under test. */
export class ExperimentRepository extends Repository<Experiment> {
  constructor(em: EntityManager) {
    super(em, Experiment);
  }
}
