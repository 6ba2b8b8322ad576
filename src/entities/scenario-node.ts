import { defineEntity, p } from '@mikro-orm/core';
import { jsonColumn } from '../json/column.ts';
import { checks, counts, durations, jsonObjects, keys, lengths } from './checks.ts';
import { creationTime, double, id, rowVersion } from './columns.ts';
import { Exploration } from './exploration.ts';
import { shapes } from './load-shapes.ts';
import { incrementsRowVersion } from './triggers.ts';

export const nodeStatuses = ['active', 'dominated', 'winner', 'expansion_failed'] as const;

export const ScenarioNodeSchema = defineEntity({
  name: 'ScenarioNode',
  tableName: 'scenario_nodes',
  properties: {
    id: id('node'),
    exploration: () => p.manyToOne(Exploration).ref().deleteRule('cascade'),
    parent: () => p.manyToOne(ScenarioNode).ref().nullable().deleteRule('set null'),
    depth: p.integer().default(0),
    actionApplied: p.text().nullable(),
    actionCategory: p.text().nullable(),
    rationale: p.text().nullable(),
    shortAction: p.text().nullable(),
    scorecardParams: jsonColumn(() => shapes().ScorecardParams),
    simulationResults: jsonColumn(() => shapes().SimulationResults).nullable(),
    executionTimeSeconds: double().nullable(),
    nodeStatus: p.enum(nodeStatuses).default('active'),
    ...creationTime,
    ...rowVersion,
  },
  indexes: [
    { name: 'idx_scenario_nodes_status', properties: ['exploration', 'nodeStatus'] },
    {
      name: 'idx_scenario_nodes_exploration_id_depth_created_at_id',
      properties: ['exploration', 'depth', 'createdAt', 'id'],
    },
    { name: 'idx_scenario_nodes_parent_id_created_at_id', properties: ['parent', 'createdAt', 'id'] },
    {
      name: 'uq_scenario_nodes_root',
      expression: `create unique index "uq_scenario_nodes_root" on "scenario_nodes" ("exploration_id") where depth = 0`,
    },
    {
      name: 'uq_scenario_nodes_winner',
      expression: `create unique index "uq_scenario_nodes_winner" on "scenario_nodes" ("exploration_id") where node_status = 'winner'`,
    },
  ],
  checks: checks('scenario_nodes', {
    ...keys('id'),
    ...counts('depth'),
    ...durations('execution_time_seconds'),
    ...lengths({ action_applied: 500, rationale: 200, short_action: 30 }),
    ...jsonObjects('scorecard_params', 'simulation_results'),
  }),
  triggers: [incrementsRowVersion],
});

/**
 * A scorecard in the tree of an exploration. An exploration has at most one root (depth 0) and one winner. When a node is deleted, its
 * children stay, without a parent.
 */
export class ScenarioNode extends ScenarioNodeSchema.class {}
ScenarioNodeSchema.setClass(ScenarioNode);
