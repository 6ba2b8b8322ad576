// The names that services match on, with what they stand for, after the specification. Written by hand: nothing here may be
// derived from the code.

/** Every index, those of keys and unique constraints included, as `[unique ]name on what`. */
export const indexes: Record<string, string[]> = {
  experiments: [
    'unique experiments_pkey (id)',
    'idx_experiments_created (created_at DESC)',
    'idx_experiments_name (name)',
    'idx_experiments_status (status)',
    `idx_experiments_active_created_at_id (created_at DESC, id DESC) WHERE (status = 'active'::text)`,
  ],
  interview_guide: ['unique interview_guide_pkey (experiment_id)'],
  synth_groups: [
    'unique synth_groups_pkey (id)',
    'idx_synth_groups_created_at_id (created_at DESC, id DESC)',
  ],
  synths: [
    'unique synths_pkey (id)',
    'idx_synths_synth_group_id_created_at_id (synth_group_id, created_at DESC, id DESC)',
    'idx_synths_nome (nome)',
    'idx_synths_created_at_id (created_at DESC, id DESC)',
    'idx_synths_data using gin (data jsonb_path_ops)',
  ],
  analysis_runs: [
    'unique analysis_runs_pkey (id)',
    'unique uq_analysis_runs_experiment_id (experiment_id)',
    'idx_analysis_runs_status (status)',
  ],
  synth_outcomes: [
    'unique synth_outcomes_pkey (id)',
    'unique uq_synth_outcomes_analysis_synth (analysis_id, synth_id)',
    'idx_synth_outcomes_synth_id (synth_id)',
  ],
  analysis_cache: ['unique analysis_cache_pkey (analysis_id, cache_key)'],
  research_executions: [
    'unique research_executions_pkey (exec_id)',
    'idx_research_executions_experiment_id_started_at_exec_id (experiment_id, started_at DESC, exec_id DESC)',
    'idx_executions_status (status)',
    'idx_executions_topic (topic_name)',
    'idx_research_executions_started_at_exec_id (started_at DESC, exec_id DESC)',
  ],
  transcripts: [
    'unique transcripts_pkey (id)',
    'unique uq_transcripts_exec_synth (exec_id, synth_id)',
    'idx_transcripts_synth (synth_id)',
    'idx_transcripts_exec_id_timestamp_id (exec_id, "timestamp" DESC, id DESC)',
  ],
  explorations: [
    'unique explorations_pkey (id)',
    'idx_explorations_experiment_id_started_at_id (experiment_id, started_at DESC, id DESC)',
    'idx_explorations_status (status)',
    'idx_explorations_baseline_analysis_id (baseline_analysis_id)',
  ],
  scenario_nodes: [
    'unique scenario_nodes_pkey (id)',
    'idx_scenario_nodes_parent (parent_id)',
    'idx_scenario_nodes_status (exploration_id, node_status)',
    'idx_scenario_nodes_depth (exploration_id, depth)',
    'unique uq_scenario_nodes_root (exploration_id) WHERE (depth = 0)',
    `unique uq_scenario_nodes_winner (exploration_id) WHERE (node_status = 'winner'::text)`,
  ],
  chart_insights: [
    'unique chart_insights_pkey (id)',
    'unique uq_chart_insights_sim_type (simulation_id, insight_type)',
    'idx_chart_insights_type (insight_type)',
  ],
  sensitivity_results: [
    'unique sensitivity_results_pkey (id)',
    'idx_sensitivity_simulation (simulation_id)',
    'idx_sensitivity_analyzed_at (analyzed_at)',
  ],
  region_analyses: ['unique region_analyses_pkey (id)', 'idx_regions_simulation (simulation_id)'],
  experiment_documents: [
    'unique experiment_documents_pkey (id)',
    'unique uq_experiment_documents_exp_type (experiment_id, document_type)',
    'idx_experiment_documents_type (document_type)',
    'idx_experiment_documents_status (status)',
  ],
  feature_scorecards: ['unique feature_scorecards_pkey (id)', 'idx_scorecards_experiment (experiment_id)'],
  simulation_runs: [
    'unique simulation_runs_pkey (id)',
    'idx_simulations_scorecard (scorecard_id)',
    'idx_simulations_status (status)',
  ],
};

/** Every foreign key, as `name: column → table, what happens on delete`. */
export const foreignKeys: Record<string, string> = {
  fk_synths_synth_group_id: 'synths.synth_group_id → synth_groups SET NULL',
  fk_interview_guide_experiment_id: 'interview_guide.experiment_id → experiments CASCADE',
  fk_analysis_runs_experiment_id: 'analysis_runs.experiment_id → experiments CASCADE',
  fk_synth_outcomes_analysis_id: 'synth_outcomes.analysis_id → analysis_runs CASCADE',
  fk_analysis_cache_analysis_id: 'analysis_cache.analysis_id → analysis_runs CASCADE',
  fk_research_executions_experiment_id: 'research_executions.experiment_id → experiments SET NULL',
  fk_transcripts_exec_id: 'transcripts.exec_id → research_executions CASCADE',
  fk_explorations_experiment_id: 'explorations.experiment_id → experiments CASCADE',
  fk_explorations_baseline_analysis_id: 'explorations.baseline_analysis_id → analysis_runs CASCADE',
  fk_scenario_nodes_exploration_id: 'scenario_nodes.exploration_id → explorations CASCADE',
  fk_scenario_nodes_parent_id: 'scenario_nodes.parent_id → scenario_nodes SET NULL',
  fk_experiment_documents_experiment_id: 'experiment_documents.experiment_id → experiments CASCADE',
  fk_feature_scorecards_experiment_id: 'feature_scorecards.experiment_id → experiments SET NULL',
  fk_simulation_runs_scorecard_id: 'simulation_runs.scorecard_id → feature_scorecards CASCADE',
};
