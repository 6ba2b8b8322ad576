import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { SensitivityResult } from '../entities/sensitivity-result.ts';
import { detachDeleted } from './detach-deleted.ts';
import { Repository } from './repository.ts';
import { Key, rowMethods, reads, writes, type Signatures } from './signatures/index.ts';

/** Sensitivity analyses of simulations; a simulation may have several. */
export class SensitivityResultRepository extends Repository<SensitivityResult> {
  constructor(em: EntityManager) {
    super(em, SensitivityResult);
  }

  /** Returns the latest sensitivity analysis of a simulation, to be modified; null if none exists. */
  findLatest(simulationId: string): Promise<SensitivityResult | null> {
    return this.findOne({ simulationId }, { orderBy: { analyzedAt: 'desc', id: 'desc' } });
  }

  /** Stages a new sensitivity analysis. Existing ones stay. A key that is absent is generated at once. */
  override add(data: RequiredEntityData<SensitivityResult>): SensitivityResult {
    return super.add(data);
  }

  /** Deletes every sensitivity analysis of a simulation, by one statement, and returns their number. */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('sensitivity_results')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return detachDeleted(this.em, SensitivityResult, deleted);
  }

  static readonly signatures = {
    ...rowMethods(SensitivityResult),
    findLatest: reads({ simulationId: Key }),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<SensitivityResultRepository>;
}
