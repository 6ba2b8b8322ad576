import type { EntityManager } from '@mikro-orm/postgresql';
import { SimulationRun } from '../../entities/legacy/simulation-run.ts';
import { Repository } from '../repository.ts';

/**
 * Simulations of legacy scorecards.
 *
 * @deprecated Lives on for its data.
 */
export class SimulationRunRepository extends Repository<SimulationRun> {
  constructor(em: EntityManager) {
    super(em, SimulationRun);
  }
}
