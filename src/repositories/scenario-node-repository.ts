import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { shapes } from '../entities/load-shapes.ts';
import { ScenarioNode, nodeStatuses } from '../entities/scenario-node.ts';
import type { ScorecardParams, SimulationResults } from '../entities/shapes.ts';
import { NotFoundError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { named } from '../postgres/client/named-statements.ts';
import type { RowStream } from './read-model/row-stream.ts';
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
  streams,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type * from './scenario-node-summary.ts';

export type NodeStatus = (typeof nodeStatuses)[number];

const statusUpdate = named(
  'update "scenario_nodes" set "node_status" = $1 where "id" = any($2) returning "id"',
);

/** Changes of a node. An absent field stays as it is; null clears it. */
export interface NodeChanges {
  readonly scorecardParams?: ScorecardParams | undefined;
  readonly simulationResults?: SimulationResults | null | undefined;
  readonly executionTimeSeconds?: number | null | undefined;
  readonly nodeStatus?: NodeStatus | undefined;
}

/**
 * Scorecards in the trees of explorations. Lists have no limit: the budget of an exploration usually bounds its tree to some hundreds of
 * nodes. Larger ones are read by streams.
 */
export class ScenarioNodeRepository extends Repository<ScenarioNode> {
  constructor(em: EntityManager) {
    super(em, ScenarioNode);
  }

  /**
   * Returns the summary of one node.
   *
   * @throws NotFoundError if it does not exist.
   */
  getSummary(key: string): Promise<ScenarioNodeSummary> {
    return this.read(nodeSummaries).get(key);
  }

  /** Returns the root of an exploration, to be modified; null if none exists. */
  findRoot(explorationId: string): Promise<ScenarioNode | null> {
    return this.findOne({ exploration: explorationId, depth: 0 });
  }

  /** Returns the winner of an exploration, to be modified; null if none exists. */
  findWinner(explorationId: string): Promise<ScenarioNode | null> {
    return this.findOne({ exploration: explorationId, nodeStatus: 'winner' });
  }

  /**
   * Returns the simulated node with the highest success rate, in any status; of equal ones the nearest to the root, then the oldest, then
   * the one with the lowest key. Null if no node was simulated.
   */
  findBestSummary(explorationId: string): Promise<ScenarioNodeSummary | null> {
    return this.read(nodeSummaries).first({ exploration: explorationId, simulated: 'only' }, 'best');
  }

  /** Returns all nodes of an exploration, by depth from the root, then oldest first, then by key. */
  listByExploration(explorationId: string): Promise<ScenarioNodeSummary[]> {
    return this.read(nodeSummaries).list({ exploration: explorationId }, 'level');
  }

  /** Returns a stream of all nodes of an exploration, in the order of `listByExploration`. */
  streamByExploration(explorationId: string): RowStream<ScenarioNodeSummary> {
    return this.read(nodeSummaries).stream({ exploration: explorationId, sortBy: 'level', sortOrder: 'asc' });
  }

  /** Returns the active nodes of an exploration, deepest first, then oldest first, then by key. */
  listFrontier(explorationId: string): Promise<ScenarioNodeSummary[]> {
    return this.read(nodeSummaries).list({ exploration: explorationId, status: 'active' }, 'deepest');
  }

  /** Returns the children of a node, oldest first, then by key. */
  listChildren(parentId: string): Promise<ScenarioNodeSummary[]> {
    return this.read(nodeSummaries).list({ parent: parentId }, 'oldest');
  }

  /** Returns a stream of the children of a node, in the order of `listChildren`. */
  streamChildren(parentId: string): RowStream<ScenarioNodeSummary> {
    return this.read(nodeSummaries).stream({ parent: parentId, sortBy: 'oldest', sortOrder: 'asc' });
  }

  /**
   * Returns the nodes from the root to the one with this key, inclusive; empty if the node does not exist. A cycle of parents, which only
   * plain SQL can create, is listed once.
   */
  listPath(key: string): Promise<ScenarioNodeSummary[]> {
    return this.read(nodeSummaries).select((columns) => pathTo(columns, key));
  }

  /** Returns the number of an exploration's nodes in each status, 0 included. */
  async countByStatus(explorationId: string): Promise<Record<NodeStatus, number>> {
    const db = await this.queryForRead();
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
   * Stages changes of the given fields, and returns the node.
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
   * Updates the results and the duration of a node's simulation, by one statement; null clears them.
   *
   * @throws NotFoundError if it does not exist; InvalidJsonError when the results have the wrong shape.
   */
  async saveSimulation(
    key: string,
    simulationResults: SimulationResults | null,
    executionTimeSeconds: number | null,
  ): Promise<void> {
    if (simulationResults !== null)
      checkDocument('scenario_nodes.simulation_results', shapes().SimulationResults, simulationResults);
    await this.updateRow(key, { id: key }, { simulationResults, executionTimeSeconds });
  }

  /**
   * Updates the status of nodes, by one statement. Duplicate keys count once.
   *
   * @throws NotFoundError with the keys that do not exist; the other nodes were updated.
   */
  async saveStatusBatch(keys: readonly string[], nodeStatus: NodeStatus): Promise<void> {
    if (keys.length === 0) return;
    const db = await this.queryForWrite();
    const statement = CompiledQuery.raw(statusUpdate, [nodeStatus, [...keys]]);
    const { rows: changed } = await db.executeQuery<{ id: string }>(statement);
    await this.#reloadAll(keys);
    const found = new Set(changed.map(({ id }) => id));
    const missing = keys.filter((key) => !found.has(key));
    if (missing.length > 0) throw new NotFoundError(ScenarioNode.name, missing);
  }

  /** Reloads those of the nodes that are loaded, by one statement. */
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
    streamByExploration: streams({ explorationId: Key }),
    listFrontier: reads({ explorationId: Key }),
    listChildren: reads({ parentId: Key }),
    streamChildren: streams({ parentId: Key }),
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
    saveSimulation: writes(
      { key: Key },
      { simulationResults: nullable(document<SimulationResults>()) },
      { executionTimeSeconds: nullable(FiniteNumber) },
    ),
    saveStatusBatch: writes({ keys: arrayOf(Key) }, { nodeStatus: oneOf(nodeStatuses) }),
  } satisfies Signatures<ScenarioNodeRepository>;
}
