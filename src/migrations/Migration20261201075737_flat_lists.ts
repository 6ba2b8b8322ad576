import { Migration } from '@mikro-orm/migrations';

// The order of lists, with the key to break ties, and the queues of pending runs and executions, which workers take the oldest of.
const wanted: Record<string, string> = {
  idx_experiments_active_updated_at_id: `experiments (updated_at desc nulls last, id desc) where status = 'active'`,
  idx_analysis_runs_pending_started_at_id: `analysis_runs (started_at, id) where status = 'pending'`,
  idx_research_executions_pending_started_at_exec_id: `research_executions (started_at, exec_id) where status = 'pending'`,
  idx_research_executions_status_exec_id: 'research_executions (status, exec_id)',
  idx_scenario_nodes_exploration_id_depth_created_at_id:
    'scenario_nodes (exploration_id, depth, created_at, id)',
  idx_scenario_nodes_parent_id_created_at_id: 'scenario_nodes (parent_id, created_at, id)',
  idx_synths_synth_group_id_nome_id: 'synths (synth_group_id, nome, id)',
  idx_feature_scorecards_created_at_id: 'feature_scorecards (created_at desc, id desc)',
  idx_simulation_runs_started_at_id: 'simulation_runs (started_at desc, id desc)',
};

// Each leads one of those above.
const redundant: Record<string, string> = {
  idx_executions_status: 'research_executions (status)',
  idx_scenario_nodes_depth: 'scenario_nodes (exploration_id, depth)',
  idx_scenario_nodes_parent: 'scenario_nodes (parent_id)',
};

/**
 * Indexes for lists that sorted all rows of a table, or of a tree, to give some; the ones that another index makes redundant go.
 *
 * Locks: none that stops a reader or a writer, since each index is built and dropped concurrently, outside a transaction.
 * Run again after an interruption it converges: a half-built index is dropped before it is built anew.
 * Going back loses nothing.
 */
export class Migration20261201075737_flat_lists extends Migration {
  override name = 'Migration20261201075737_flat_lists';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.#build(wanted);
    this.#drop(redundant);
  }

  override down(): void {
    this.#build(redundant);
    this.#drop(wanted);
  }

  #build(indexes: Record<string, string>): void {
    for (const [name, on] of Object.entries(indexes)) {
      this.addSql(`drop index concurrently if exists ${name}`);
      this.addSql(`create index concurrently ${name} on ${on}`);
    }
  }

  #drop(indexes: Record<string, string>): void {
    for (const name of Object.keys(indexes)) this.addSql(`drop index concurrently if exists ${name}`);
  }
}
