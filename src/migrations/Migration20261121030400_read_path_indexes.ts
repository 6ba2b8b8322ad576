import { Migration } from '@mikro-orm/migrations';

// What lists are read by (their order, with the key to break ties), what JSON is searched by, and a foreign key without an index.
const wanted: Record<string, string> = {
  idx_experiments_active_created_at_id: `experiments (created_at desc, id desc) where status = 'active'`,
  idx_synth_groups_created_at_id: 'synth_groups (created_at desc, id desc)',
  idx_synths_created_at_id: 'synths (created_at desc, id desc)',
  idx_synths_data: 'synths using gin (data jsonb_path_ops)',
  idx_research_executions_started_at_exec_id: 'research_executions (started_at desc, exec_id desc)',
  idx_explorations_baseline_analysis_id: 'explorations (baseline_analysis_id)',
  idx_synths_synth_group_id_created_at_id: 'synths (synth_group_id, created_at desc, id desc)',
  idx_research_executions_experiment_id_started_at_exec_id:
    'research_executions (experiment_id, started_at desc, exec_id desc)',
  idx_explorations_experiment_id_started_at_id: 'explorations (experiment_id, started_at desc, id desc)',
  idx_transcripts_exec_id_timestamp_id: 'transcripts (exec_id, "timestamp" desc, id desc)',
};

// Each leads another index of its table: a key, a unique constraint, or one of those above.
const redundant: Record<string, string> = {
  idx_synth_groups_created: 'synth_groups (created_at desc)',
  idx_synths_created_at: 'synths (created_at desc)',
  idx_synths_group: 'synths (synth_group_id)',
  idx_executions_started: 'research_executions (started_at desc)',
  idx_executions_experiment: 'research_executions (experiment_id)',
  idx_explorations_experiment: 'explorations (experiment_id)',
  idx_analysis_runs_experiment: 'analysis_runs (experiment_id)',
  idx_outcomes_analysis: 'synth_outcomes (analysis_id)',
  idx_analysis_cache_analysis: 'analysis_cache (analysis_id)',
  idx_transcripts_exec: 'transcripts (exec_id)',
  idx_scenario_nodes_exploration: 'scenario_nodes (exploration_id)',
  idx_chart_insights_simulation: 'chart_insights (simulation_id)',
  idx_experiment_documents_experiment: 'experiment_documents (experiment_id)',
};

/**
 * Indexes for how rows are read; the ones that another index makes redundant go.
 *
 * Locks: none that stops a reader or a writer, since each index is built and dropped concurrently, outside a transaction.
 * Run again after an interruption it converges: a half-built index is dropped before it is built anew.
 * Going back loses nothing.
 */
export class Migration20261121030400_read_path_indexes extends Migration {
  override name = 'Migration20261121030400_read_path_indexes';

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
