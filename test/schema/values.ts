// What the specification says of values, by column. Written by hand from it: nothing here may be derived from the code.

/** Text columns that are keys, or point at what has no foreign key. */
export const keys = [
  'synth_groups.id',
  'synths.id',
  'experiments.id',
  'analysis_runs.id',
  'synth_outcomes.id',
  'synth_outcomes.synth_id',
  'analysis_cache.cache_key',
  'research_executions.exec_id',
  'transcripts.id',
  'transcripts.synth_id',
  'explorations.id',
  'scenario_nodes.id',
  'chart_insights.id',
  'chart_insights.simulation_id',
  'sensitivity_results.id',
  'sensitivity_results.simulation_id',
  'region_analyses.id',
  'region_analyses.simulation_id',
  'experiment_documents.id',
  'feature_scorecards.id',
  'simulation_runs.id',
];

/** Columns of a closed set of values, with the set. */
export const closedSets: Record<string, string[]> = {
  'experiments.status': ['active', 'deleted'],
  'analysis_runs.status': ['pending', 'running', 'completed', 'failed'],
  'research_executions.status': ['pending', 'running', 'generating_summary', 'completed', 'failed'],
  'explorations.status': [
    'running',
    'goal_achieved',
    'depth_limit_reached',
    'cost_limit_reached',
    'no_viable_paths',
  ],
  'scenario_nodes.node_status': ['active', 'dominated', 'winner', 'expansion_failed'],
  'experiment_documents.document_type': ['summary', 'prfaq', 'executive_summary'],
  'experiment_documents.status': ['pending', 'generating', 'completed', 'failed', 'partial'],
  'simulation_runs.status': ['pending', 'running', 'completed', 'failed'],
};

/** 0 to 1. */
export const rates = [
  'synth_outcomes.did_not_try_rate',
  'synth_outcomes.failed_rate',
  'synth_outcomes.success_rate',
  'explorations.best_success_rate',
  'sensitivity_results.baseline_success',
  'region_analyses.did_not_try_rate',
  'region_analyses.failed_rate',
  'region_analyses.success_rate',
];

/** Whole numbers, never negative. */
export const counts = [
  'analysis_runs.total_synths',
  'research_executions.synth_count',
  'research_executions.successful_count',
  'research_executions.failed_count',
  'research_executions.max_turns',
  'transcripts.turn_count',
  'explorations.current_depth',
  'explorations.total_nodes',
  'explorations.total_llm_calls',
  'scenario_nodes.depth',
  'region_analyses.synth_count',
  'simulation_runs.total_synths',
];

/** Seconds, never negative. */
export const durations = [
  'analysis_runs.execution_time_seconds',
  'scenario_nodes.execution_time_seconds',
  'simulation_runs.execution_time_seconds',
];

/** The most characters that a column takes. */
export const lengths: Record<string, number> = {
  'experiments.name': 100,
  'experiments.hypothesis': 500,
  'experiments.description': 2000,
  'scenario_nodes.action_applied': 500,
  'scenario_nodes.rationale': 200,
  'scenario_nodes.short_action': 30,
};

/** Text that is more than white space. */
export const notBlank = ['experiments.name', 'experiments.hypothesis', 'synth_groups.name'];

/** JSON columns that hold an object, and whether they may hold nothing. */
export const objects: Record<string, 'nullable' | 'required'> = {
  'synths.data': 'nullable',
  'experiments.scorecard_data': 'nullable',
  'analysis_runs.config': 'required',
  'analysis_runs.aggregated_outcomes': 'nullable',
  'synth_outcomes.synth_attributes': 'nullable',
  'analysis_cache.data': 'required',
  'analysis_cache.params': 'nullable',
  'explorations.goal': 'required',
  'explorations.config': 'required',
  'scenario_nodes.scorecard_params': 'required',
  'scenario_nodes.simulation_results': 'nullable',
  'chart_insights.response_json': 'required',
  'experiment_documents.metadata': 'nullable',
  'feature_scorecards.data': 'required',
  'simulation_runs.config': 'required',
  'simulation_runs.aggregated_outcomes': 'nullable',
};

/** JSON columns that hold an array, and whether they may hold nothing. */
export const arrays: Record<string, 'nullable' | 'required'> = {
  'transcripts.messages': 'nullable',
  'sensitivity_results.deltas_used': 'required',
  'sensitivity_results.dimensions': 'required',
  'region_analyses.rules': 'required',
};
