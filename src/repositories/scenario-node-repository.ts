import type { EntityManager } from '@mikro-orm/postgresql';
import {
  ScenarioNode,
  SimulationResults,
  nodeStatuses,
  type ScorecardParams,
} from '../entities/scenario-node.ts';
import { NotFoundError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { Repository } from './repository.ts';
import { nodeSummaries, pathTo, type ScenarioNodeSummary } from './scenario-node-summary.ts';
import {
  document,
  documentWith,
  fields,
  Key,
  arrayOf,
  nullable,
  FiniteNumber,
  oneOf,
  optional,
  rowMethods,
  reads,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type NodeStatus = (typeof nodeStatuses)[number];

/** What of a node is to be changed. */
export interface NodeChanges {
  readonly scorecardParams?: ScorecardParams | undefined;
  readonly simulationResults?: SimulationResults | null | undefined;
  readonly executionTimeSeconds?: number | null | undefined;
  readonly nodeStatus?: NodeStatus | undefined;
}

/**
 * Scorecards in the trees of explorations. Lists are whole: what an exploration may spend bounds its tree to some hundreds of
 * nodes.
 */
export class ScenarioNodeRepository extends Repository<ScenarioNode> {
  constructor(em: EntityManager) {
    super(em, ScenarioNode);
  }

  /**
   * The node with this key, to be shown.
   *
   * @throws NotFoundError if it does not exist.
   */
  getSummary(key: string): Promise<ScenarioNodeSummary> {
    return this.ask(nodeSummaries).get(key);
  }

  /** The exploration's root, to be modified; null if none exists. */
  findRoot(explorationId: string): Promise<ScenarioNode | null> {
    return this.one({ exploration: explorationId, depth: 0 });
  }

  /** The node that won the exploration, to be modified; null when none has. */
  findWinner(explorationId: string): Promise<ScenarioNode | null> {
    return this.one({ exploration: explorationId, nodeStatus: 'winner' });
  }

  /**
   * The node with the highest success rate of those that were simulated, in any status; of equals the one nearest to the
   * root, then the oldest, then the one with the lowest key. Null when none was simulated.
   */
  findBestSummary(explorationId: string): Promise<ScenarioNodeSummary | null> {
    return this.ask(nodeSummaries).first({ exploration: explorationId, simulated: 'only' }, 'best');
  }

  /** The exploration's tree, level by level, each oldest first, then by key. */
  listByExploration(explorationId: string): Promise<ScenarioNodeSummary[]> {
    return this.ask(nodeSummaries).list({ exploration: explorationId }, 'level');
  }

  /** The exploration's active nodes, deepest first, those of a level oldest first, then by key. */
  listFrontier(explorationId: string): Promise<ScenarioNodeSummary[]> {
    return this.ask(nodeSummaries).list({ exploration: explorationId, status: 'active' }, 'deepest');
  }

  /** A node's children, oldest first, then by key. */
  listChildren(parentId: string): Promise<ScenarioNodeSummary[]> {
    return this.ask(nodeSummaries).list({ parent: parentId }, 'oldest');
  }

  /**
   * The nodes from the root down to the one with this key, itself included; empty if the node does not exist. Parents that run in a
   * circle, which only plain SQL can make, are listed once.
   */
  listPath(key: string): Promise<ScenarioNodeSummary[]> {
    return this.ask(nodeSummaries).query((columns) => pathTo(columns, key));
  }

  /** How many of the exploration's nodes have each status; all four statuses are there. */
  async countByStatus(explorationId: string): Promise<Record<NodeStatus, number>> {
    const db = await this.rows();
    const rows = await db
      .selectFrom('scenario_nodes')
      .select((eb) => ['node_status', eb.cast<number>(eb.fn.countAll(), 'integer').as('nodes')])
      .where('exploration_id', '=', explorationId)
      .groupBy('node_status')
      .execute();
    const counts: Record<NodeStatus, number> = { active: 0, dominated: 0, winner: 0, expansion_failed: 0 };
    for (const { node_status, nodes } of rows) counts[node_status] = nodes;
    return counts;
  }

  /**
   * Changes what is given; an absent field stays as it is, null results or a null time are cleared.
   *
   * @throws NotFoundError if it does not exist.
   */
  async update(key: string, changes: NodeChanges): Promise<ScenarioNode> {
    const node = await this.get(key);
    if (changes.scorecardParams !== undefined) node.scorecardParams = changes.scorecardParams;
    if (changes.simulationResults !== undefined) node.simulationResults = changes.simulationResults;
    if (changes.executionTimeSeconds !== undefined) node.executionTimeSeconds = changes.executionTimeSeconds;
    if (changes.nodeStatus !== undefined) node.nodeStatus = changes.nodeStatus;
    return node;
  }

  /**
   * Stores what a node's simulation gave and how long it took, by one statement; null clears.
   *
   * @throws NotFoundError if it does not exist; InvalidJsonError.
   */
  async updateSimulation(
    key: string,
    simulationResults: SimulationResults | null,
    executionTimeSeconds: number | null,
  ): Promise<void> {
    if (simulationResults !== null)
      checkDocument('scenario_nodes.simulation_results', SimulationResults, simulationResults);
    await this.change(key, { id: key }, { simulationResults, executionTimeSeconds });
  }

  /**
   * Gives all of these nodes one status, by one statement however many they are; the same key twice counts once.
   *
   * @throws NotFoundError naming the keys that no node has; the others were changed.
   */
  async updateStatusBatch(keys: readonly string[], nodeStatus: NodeStatus): Promise<void> {
    if (keys.length === 0) return;
    const db = await this.writing();
    const changed = await db
      .updateTable('scenario_nodes')
      .set({ node_status: nodeStatus })
      .where((eb) => eb('id', '=', eb.fn.any(eb.val([...keys]))))
      .returning('id')
      .execute();
    await this.#reloadAll(keys);
    const found = new Set(changed.map(({ id }) => id));
    const missing = keys.filter((key) => !found.has(key));
    if (missing.length > 0) throw new NotFoundError(ScenarioNode.name, missing);
  }

  /** Brings those of the nodes that are loaded up to date, by one statement. */
  async #reloadAll(keys: readonly string[]): Promise<void> {
    const loaded = keys.filter((key) => this.em.getUnitOfWork().getById(ScenarioNode, key));
    if (loaded.length > 0) await this.em.find(ScenarioNode, { id: { $in: loaded } }, { refresh: true });
  }

  static readonly signatures = {
    ...rowMethods(ScenarioNode),
    getSummary: reads({ key: Key }),
    findRoot: reads({ explorationId: Key }),
    findWinner: reads({ explorationId: Key }),
    findBestSummary: reads({ explorationId: Key }),
    listByExploration: reads({ explorationId: Key }),
    listFrontier: reads({ explorationId: Key }),
    listChildren: reads({ parentId: Key }),
    listPath: reads({ key: Key }),
    countByStatus: reads({ explorationId: Key }),
    update: stages(
      { key: Key },
      {
        changes: fields<NodeChanges>({
          scorecardParams: optional(documentWith<ScorecardParams>({})),
          simulationResults: optional(nullable(document<SimulationResults>())),
          executionTimeSeconds: optional(nullable(FiniteNumber)),
          nodeStatus: optional(oneOf(nodeStatuses)),
        }),
      },
    ),
    updateSimulation: writes(
      { key: Key },
      { simulationResults: nullable(document<SimulationResults>()) },
      { executionTimeSeconds: nullable(FiniteNumber) },
    ),
    updateStatusBatch: writes({ keys: arrayOf(Key) }, { nodeStatus: oneOf(nodeStatuses) }),
  } satisfies Signatures<ScenarioNodeRepository>;
}
