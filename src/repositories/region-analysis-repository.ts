import type { EntityManager, RequiredEntityData } from '@mikro-orm/postgresql';
import { RegionAnalysis, type RegionRules } from '../entities/region-analysis.ts';
import { double, doubleColumn } from './exact-columns.ts';
import { forget } from './forget.ts';
import { Repository } from './repository.ts';
import {
  Key,
  arrayOf,
  newRow,
  rowMethods,
  reads,
  stages,
  writes,
  synchronous,
  type Signatures,
} from './signatures/index.ts';

/** A region of a simulation, as it was found. */
export interface RegionAnalysisRow {
  readonly id: string;
  readonly rules: RegionRules;
  readonly ruleText: string;
  readonly synthCount: number;
  /** 0 to 100. */
  readonly synthPercentage: number;
  readonly didNotTryRate: number;
  readonly failedRate: number;
  readonly successRate: number;
  /** How much more often it fails than the rest. */
  readonly failureDelta: number;
}

/** Sets of synths that fail more than the rest. */
export class RegionAnalysisRepository extends Repository<RegionAnalysis> {
  constructor(em: EntityManager) {
    super(em, RegionAnalysis);
  }

  /** The regions of a simulation, the most failing first. */
  async listBySimulation(simulationId: string): Promise<RegionAnalysisRow[]> {
    const db = await this.rows();
    const rows = await db
      .selectFrom('region_analyses')
      .select([
        'id',
        'rules',
        'rule_text',
        'synth_count',
        doubleColumn('synth_percentage'),
        doubleColumn('did_not_try_rate'),
        doubleColumn('failed_rate'),
        doubleColumn('success_rate'),
        doubleColumn('failure_delta'),
      ])
      .where('simulation_id', '=', simulationId)
      .orderBy('failed_rate', 'desc')
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      rules: row.rules,
      ruleText: row.rule_text,
      synthCount: row.synth_count,
      synthPercentage: double(row.synth_percentage_hex),
      didNotTryRate: double(row.did_not_try_rate_hex),
      failedRate: double(row.failed_rate_hex),
      successRate: double(row.success_rate_hex),
      failureDelta: double(row.failure_delta_hex),
    }));
  }

  /** Stages new regions, beside those that their simulation has; no regions, nothing staged. */
  addAll(regions: readonly RequiredEntityData<RegionAnalysis>[]): RegionAnalysis[] {
    return regions.map((region) => this.add(region));
  }

  /**
   * Removes every region of a simulation, by one statement. Gives how many; new ones may be staged after it, in the same
   * transaction.
   */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('region_analyses')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return forget(this.em, RegionAnalysis, removed);
  }

  static readonly signatures = {
    ...rowMethods(RegionAnalysis),
    listBySimulation: reads({ simulationId: Key }),
    addAll: synchronous(stages({ regions: arrayOf(newRow(RegionAnalysis)) })),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<RegionAnalysisRepository>;
}
