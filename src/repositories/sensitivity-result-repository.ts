import type { EntityManager } from '@mikro-orm/postgresql';
import { SensitivityResult } from '../entities/sensitivity-result.ts';
import { Repository } from './repository.ts';

/** Sensitivity analyses of simulations. */
export class SensitivityResultRepository extends Repository<SensitivityResult> {
  constructor(em: EntityManager) {
    super(em, SensitivityResult);
  }
}
