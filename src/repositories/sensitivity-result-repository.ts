import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { SensitivityResult } from '../entities/sensitivity-result.ts';
import { forget } from './forget.ts';
import { Repository } from './repository.ts';
import { Key, rowMethods, reads, writes, type Signatures } from './signatures/index.ts';

/** Sensitivity analyses of simulations, of which each may have several. */
export class SensitivityResultRepository extends Repository<SensitivityResult> {
  constructor(em: EntityManager) {
    super(em, SensitivityResult);
  }

  /** The sensitivity analysis of a simulation that was made last; null when there is none. */
  findLatest(simulationId: string): Promise<SensitivityResult | null> {
    return this.one({ simulationId }, { orderBy: { analyzedAt: 'desc', id: 'desc' } });
  }

  /**
   * Stages a new sensitivity analysis, beside those that the simulation has. Without a key it is given one, which is there at once.
   */
  override add(data: RequiredEntityData<SensitivityResult>): SensitivityResult {
    return super.add(data);
  }

  /** Removes every sensitivity analysis of a simulation, by one statement. Gives how many. */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('sensitivity_results')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return forget(this.em, SensitivityResult, removed);
  }

  static readonly signatures = {
    ...rowMethods(SensitivityResult),
    findLatest: reads({ simulationId: Key }),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<SensitivityResultRepository>;
}
