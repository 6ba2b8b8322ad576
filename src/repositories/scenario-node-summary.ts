import type { Kysely } from '@mikro-orm/postgresql';
import type { ScenarioNode, ScorecardParams, SimulationResults } from '../entities/scenario-node.ts';
import type { Tables } from '../entities/tables.ts';
import { double, instant, instantColumn, nullableDoubleColumn } from './exact-columns.ts';

/** A node as a tree shows it. `parentId` is null for a root, and for one whose parent was removed. */
export interface ScenarioNodeSummary {
  readonly id: string;
  readonly explorationId: string;
  readonly parentId: string | null;
  readonly depth: number;
  readonly actionApplied: string | null;
  readonly actionCategory: string | null;
  readonly rationale: string | null;
  readonly shortAction: string | null;
  readonly scorecardParams: ScorecardParams;
  readonly simulationResults: SimulationResults | null;
  readonly executionTimeSeconds: number | null;
  readonly nodeStatus: ScenarioNode['nodeStatus'];
  readonly createdAt: Date;
}

const columns = [
  'scenario_nodes.id',
  'exploration_id',
  'scenario_nodes.parent_id',
  'depth',
  'action_applied',
  'action_category',
  'rationale',
  'short_action',
  'scorecard_params',
  'simulation_results',
  nullableDoubleColumn('execution_time_seconds'),
  'node_status',
  instantColumn('created_at'),
] as const;

export function nodeSummaries(db: Kysely<Tables>) {
  return db.selectFrom('scenario_nodes').select(columns);
}

/** The nodes from the root down to the one with this key. A chain of parents that runs in a circle is walked once. */
export function pathTo(db: Kysely<Tables>, key: string) {
  return db
    .withRecursive('path(id, parent_id, seen)', (cte) =>
      cte
        .selectFrom('scenario_nodes')
        .select((eb) => ['id', 'parent_id', eb.fn<string[]>('array_append', [eb.val([]), 'id']).as('seen')])
        .where('id', '=', key)
        .unionAll(
          cte
            .selectFrom('path')
            .innerJoin('scenario_nodes as parent', 'parent.id', 'path.parent_id')
            .select((eb) => [
              'parent.id',
              'parent.parent_id',
              eb.fn<string[]>('array_append', ['path.seen', 'parent.id']).as('seen'),
            ])
            .where((eb) => eb.not(eb('parent.id', '=', eb.fn.any(eb.ref('path.seen').$castTo<string[]>())))),
        ),
    )
    .selectFrom('path')
    .innerJoin('scenario_nodes', 'scenario_nodes.id', 'path.id')
    .select(columns)
    .orderBy((eb) => eb.fn('cardinality', ['path.seen']), 'desc');
}

type Row = Awaited<ReturnType<ReturnType<typeof nodeSummaries>['execute']>>[number];

export function toNodeSummary(row: Row): ScenarioNodeSummary {
  return {
    id: row.id,
    explorationId: row.exploration_id,
    parentId: row.parent_id,
    depth: row.depth,
    actionApplied: row.action_applied,
    actionCategory: row.action_category,
    rationale: row.rationale,
    shortAction: row.short_action,
    scorecardParams: row.scorecard_params,
    simulationResults: row.simulation_results,
    executionTimeSeconds: double(row.execution_time_seconds_hex),
    nodeStatus: row.node_status,
    createdAt: instant(row.created_at_hex),
  };
}
