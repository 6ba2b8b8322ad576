import { sql, type Expression, type RawBuilder } from 'kysely';
import { readModel, type ShownBy } from './read-model/read-model.ts';

export const nodeSummaries = readModel({
  from: 'scenario_nodes',
  select: {
    id: 'id',
    explorationId: 'exploration_id',
    /** Null for a root, and for a node whose parent was deleted. */
    parentId: 'parent_id',
    depth: 'depth',
    actionApplied: 'action_applied',
    actionCategory: 'action_category',
    rationale: 'rationale',
    shortAction: 'short_action',
    scorecardParams: 'scorecard_params',
    simulationResults: 'simulation_results',
    executionTimeSeconds: 'execution_time_seconds',
    nodeStatus: 'node_status',
    createdAt: 'created_at',
  },
  sorts: {
    level: ['depth', 'created_at'],
    deepest: [{ desc: 'depth' }, 'created_at'],
    oldest: ['created_at'],
    best: [{ desc: (eb) => eb.ref('simulation_results', '->').key('success_rate') }, 'depth', 'created_at'],
  },
  filters: (by) => ({
    exploration: 'exploration_id',
    parent: 'parent_id',
    status: 'node_status',
    simulated: by.choice({
      any: null,
      only: (eb) => eb(eb.ref('simulation_results', '->').key('success_rate'), 'is not', null),
    }),
  }),
});

/** A node in lists. */
export type ScenarioNodeSummary = ShownBy<typeof nodeSummaries>;

/**
 * Returns the statement for the nodes from the root to the one with this key. A cycle of parents is found by Brent's method: the node of each
 * step that is a power of two is marked, and the path ends before a marked node. To keep all nodes of the path in each step would take
 * time and memory by the square of its length.
 */
export function pathTo(columns: Expression<unknown>, key: string): RawBuilder<Record<string, unknown>> {
  return sql`
    with recursive path (id, parent_id, step, marked) as (
      select id, parent_id, 1, id from scenario_nodes where id = ${key}
      union all
      select parent.id, parent.parent_id, path.step + 1,
        case when path.step & (path.step + 1) = 0 then parent.id else path.marked end
      from path join scenario_nodes as parent on parent.id = path.parent_id
      where parent.id <> path.marked
    )
    select ${columns} from (select id, min(step) as step from path group by id) as path
      join scenario_nodes on scenario_nodes.id = path.id
    order by path.step desc`;
}
