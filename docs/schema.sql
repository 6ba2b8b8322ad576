-- The schema as PostgreSQL prints it, for review: tables with their indexes and triggers, then functions.
-- Generated from a migrated database: `make schema`. A test fails when it is stale.

-- Migrations in their order, with the checksum of each. A line never changes: a merged migration is not edited. Optional ones are listed
-- too, but the schema is without what they make.
--   Migration20261121030000_initial_schema 9db7b897089c347e11a3501d29d42575d2596efd8480dff1f4e628cb59f6fd17
--   Migration20261121030100_domain_checks a1b6976cd249592c56cf7d004cf909a32e60dd1f5c40631a9a5fb6cfda2c7eed
--   Migration20261121030200_exploration_tree_rules fa637829897dc2fbd6a064cfa724dda0ceeaf8ce6ff69aefb1913ad852824545
--   Migration20261121030300_row_versions baef4a551ea91718b46b85faf52b8b842a56dffd3dc9b1f8d370e69a0d732dad
--   Migration20261121030400_read_path_indexes 4c3d31b3d4461d0af507170f6cf3907feda5ebd420bf113284ee04628e24453b
--   Migration20261121030500_outcomes_by_synth 97c8a76b462b77ed1a76c8f62b1d40c65e70a102bf8f916e426a1a8c9dd31e8c
--   Migration20261129163000_version_every_table 97885c706559feb6a56ad479c0a42956b8923f09dde17879d1f937d846e1b245
--   Migration20261130205048_cheaper_triggers bb7ca97902eb7b33054cb554a5859f000f3dd95d8bbea00dbf4a8d394a483bd0
--   Migration20261201075737_flat_lists 1263e8ca8ec790f5585c9a9f02c48a1e24a03453e45ed1d89fa5b5034320353e
--   Migration20261201114000_text_search bf2885ef9330f0bf37956a110cd4b31c37321ebbecf48c4eb0e9ed6ea9e22c31

create table analysis_cache (
  analysis_id text not null,
  cache_key text not null,
  data jsonb not null,
  params jsonb,
  computed_at timestamp(6) with time zone not null,
  row_version integer not null default 1,
  constraint analysis_cache_pkey PRIMARY KEY (analysis_id, cache_key),
  constraint fk_analysis_cache_analysis_id FOREIGN KEY (analysis_id) REFERENCES analysis_runs(id) ON DELETE CASCADE,
  constraint chk_analysis_cache_cache_key_not_empty CHECK (cache_key <> ''::text),
  constraint chk_analysis_cache_data_object CHECK (jsonb_typeof(data) = 'object'::text),
  constraint chk_analysis_cache_params_object CHECK (jsonb_typeof(params) = 'object'::text)
);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON analysis_cache FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION analysis_cache_raise_row_version_fn();

create table analysis_runs (
  id text not null,
  experiment_id text not null,
  scenario_id text not null default 'baseline'::text,
  config jsonb not null,
  status text not null default 'pending'::text,
  started_at timestamp(6) with time zone not null,
  completed_at timestamp(6) with time zone,
  total_synths integer not null default 0,
  aggregated_outcomes jsonb,
  execution_time_seconds double precision,
  row_version integer not null default 1,
  constraint analysis_runs_pkey PRIMARY KEY (id),
  constraint uq_analysis_runs_experiment_id UNIQUE (experiment_id),
  constraint fk_analysis_runs_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE CASCADE,
  constraint chk_analysis_runs_aggregated_outcomes_object CHECK (jsonb_typeof(aggregated_outcomes) = 'object'::text),
  constraint chk_analysis_runs_config_object CHECK (jsonb_typeof(config) = 'object'::text),
  constraint chk_analysis_runs_execution_time_seconds_range CHECK (execution_time_seconds >= '0'::double precision),
  constraint chk_analysis_runs_id_not_empty CHECK (id <> ''::text),
  constraint chk_analysis_runs_status CHECK (status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text])),
  constraint chk_analysis_runs_total_synths_range CHECK (total_synths >= 0)
);
CREATE INDEX idx_analysis_runs_pending_started_at_id ON analysis_runs USING btree (started_at, id) WHERE status = 'pending'::text;
CREATE INDEX idx_analysis_runs_status ON analysis_runs USING btree (status);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON analysis_runs FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION analysis_runs_raise_row_version_fn();

create table chart_insights (
  id text not null,
  simulation_id text not null,
  insight_type text not null,
  response_json jsonb not null,
  created_at timestamp(6) with time zone not null default now(),
  updated_at timestamp(6) with time zone,
  row_version integer not null default 1,
  constraint chart_insights_pkey PRIMARY KEY (id),
  constraint uq_chart_insights_sim_type UNIQUE (simulation_id, insight_type),
  constraint chk_chart_insights_id_not_empty CHECK (id <> ''::text),
  constraint chk_chart_insights_response_json_object CHECK (jsonb_typeof(response_json) = 'object'::text),
  constraint chk_chart_insights_simulation_id_not_empty CHECK (simulation_id <> ''::text)
);
CREATE INDEX idx_chart_insights_type ON chart_insights USING btree (insight_type);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON chart_insights FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION chart_insights_raise_row_version_fn();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON chart_insights FOR EACH ROW WHEN (NOT new.updated_at IS DISTINCT FROM old.updated_at AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION chart_insights_set_updated_at_fn();

create table experiment_documents (
  id text not null,
  experiment_id text not null,
  document_type text not null,
  markdown_content text not null,
  metadata jsonb,
  generated_at timestamp(6) with time zone not null,
  model text not null default 'gpt-4o-mini'::text,
  status text not null default 'completed'::text,
  error_message text,
  row_version integer not null default 1,
  constraint experiment_documents_pkey PRIMARY KEY (id),
  constraint uq_experiment_documents_exp_type UNIQUE (experiment_id, document_type),
  constraint fk_experiment_documents_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE CASCADE,
  constraint chk_experiment_documents_document_type CHECK (document_type = ANY (ARRAY['summary'::text, 'prfaq'::text, 'executive_summary'::text])),
  constraint chk_experiment_documents_id_not_empty CHECK (id <> ''::text),
  constraint chk_experiment_documents_metadata_object CHECK (jsonb_typeof(metadata) = 'object'::text),
  constraint chk_experiment_documents_status CHECK (status = ANY (ARRAY['pending'::text, 'generating'::text, 'completed'::text, 'failed'::text, 'partial'::text]))
);
CREATE INDEX idx_experiment_documents_status ON experiment_documents USING btree (status);
CREATE INDEX idx_experiment_documents_type ON experiment_documents USING btree (document_type);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON experiment_documents FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION experiment_documents_raise_row_version_fn();

create table experiments (
  id text not null,
  name text not null,
  hypothesis text not null,
  description text,
  scorecard_data jsonb,
  created_at timestamp(6) with time zone not null default now(),
  updated_at timestamp(6) with time zone,
  status text not null default 'active'::text,
  row_version integer not null default 1,
  constraint experiments_pkey PRIMARY KEY (id),
  constraint chk_experiments_description_length CHECK (char_length(description) <= 2000),
  constraint chk_experiments_hypothesis_length CHECK (char_length(hypothesis) <= 500),
  constraint chk_experiments_hypothesis_not_blank CHECK (hypothesis ~ '\S'::text),
  constraint chk_experiments_id_not_empty CHECK (id <> ''::text),
  constraint chk_experiments_name_length CHECK (char_length(name) <= 100),
  constraint chk_experiments_name_not_blank CHECK (name ~ '\S'::text),
  constraint chk_experiments_scorecard_data_object CHECK (jsonb_typeof(scorecard_data) = 'object'::text),
  constraint chk_experiments_status CHECK (status = ANY (ARRAY['active'::text, 'deleted'::text]))
);
CREATE INDEX idx_experiments_active_created_at_id ON experiments USING btree (created_at DESC, id DESC) WHERE status = 'active'::text;
CREATE INDEX idx_experiments_active_updated_at_id ON experiments USING btree (updated_at DESC NULLS LAST, id DESC) WHERE status = 'active'::text;
CREATE INDEX idx_experiments_created ON experiments USING btree (created_at DESC);
CREATE INDEX idx_experiments_name ON experiments USING btree (name);
CREATE INDEX idx_experiments_status ON experiments USING btree (status);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON experiments FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION experiments_raise_row_version_fn();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON experiments FOR EACH ROW WHEN (NOT new.updated_at IS DISTINCT FROM old.updated_at AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION experiments_set_updated_at_fn();

create table explorations (
  id text not null,
  experiment_id text not null,
  baseline_analysis_id text not null,
  goal jsonb not null,
  config jsonb not null,
  status text not null default 'running'::text,
  current_depth integer not null default 0,
  total_nodes integer not null default 0,
  total_llm_calls integer not null default 0,
  best_success_rate double precision,
  started_at timestamp(6) with time zone not null,
  completed_at timestamp(6) with time zone,
  row_version integer not null default 1,
  constraint explorations_pkey PRIMARY KEY (id),
  constraint fk_explorations_baseline_analysis_id FOREIGN KEY (baseline_analysis_id) REFERENCES analysis_runs(id) ON DELETE CASCADE,
  constraint fk_explorations_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE CASCADE,
  constraint chk_explorations_best_success_rate_range CHECK (best_success_rate >= '0'::double precision AND best_success_rate <= '1'::double precision),
  constraint chk_explorations_config_object CHECK (jsonb_typeof(config) = 'object'::text),
  constraint chk_explorations_current_depth_range CHECK (current_depth >= 0),
  constraint chk_explorations_goal_object CHECK (jsonb_typeof(goal) = 'object'::text),
  constraint chk_explorations_id_not_empty CHECK (id <> ''::text),
  constraint chk_explorations_status CHECK (status = ANY (ARRAY['running'::text, 'goal_achieved'::text, 'depth_limit_reached'::text, 'cost_limit_reached'::text, 'no_viable_paths'::text])),
  constraint chk_explorations_total_llm_calls_range CHECK (total_llm_calls >= 0),
  constraint chk_explorations_total_nodes_range CHECK (total_nodes >= 0)
);
CREATE INDEX idx_explorations_baseline_analysis_id ON explorations USING btree (baseline_analysis_id);
CREATE INDEX idx_explorations_experiment_id_started_at_id ON explorations USING btree (experiment_id, started_at DESC, id DESC);
CREATE INDEX idx_explorations_status ON explorations USING btree (status);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON explorations FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION explorations_raise_row_version_fn();

create table feature_scorecards (
  id text not null,
  experiment_id text,
  data jsonb not null,
  created_at timestamp(6) with time zone not null default now(),
  updated_at timestamp(6) with time zone,
  row_version integer not null default 1,
  constraint feature_scorecards_pkey PRIMARY KEY (id),
  constraint fk_feature_scorecards_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE SET NULL,
  constraint chk_feature_scorecards_data_object CHECK (jsonb_typeof(data) = 'object'::text),
  constraint chk_feature_scorecards_id_not_empty CHECK (id <> ''::text)
);
CREATE INDEX idx_feature_scorecards_created_at_id ON feature_scorecards USING btree (created_at DESC, id DESC);
CREATE INDEX idx_scorecards_experiment ON feature_scorecards USING btree (experiment_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON feature_scorecards FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION feature_scorecards_raise_row_version_fn();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON feature_scorecards FOR EACH ROW WHEN (NOT new.updated_at IS DISTINCT FROM old.updated_at AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION feature_scorecards_set_updated_at_fn();

create table interview_guide (
  experiment_id text not null,
  context_definition text,
  questions text,
  context_examples text,
  created_at timestamp(6) with time zone not null default now(),
  updated_at timestamp(6) with time zone,
  row_version integer not null default 1,
  constraint interview_guide_pkey PRIMARY KEY (experiment_id),
  constraint fk_interview_guide_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE CASCADE
);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON interview_guide FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION interview_guide_raise_row_version_fn();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON interview_guide FOR EACH ROW WHEN (NOT new.updated_at IS DISTINCT FROM old.updated_at AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION interview_guide_set_updated_at_fn();

create table region_analyses (
  id text not null,
  simulation_id text not null,
  rules jsonb not null,
  rule_text text not null,
  synth_count integer not null,
  synth_percentage double precision not null,
  did_not_try_rate double precision not null,
  failed_rate double precision not null,
  success_rate double precision not null,
  failure_delta double precision not null,
  row_version integer not null default 1,
  constraint region_analyses_pkey PRIMARY KEY (id),
  constraint chk_region_analyses_did_not_try_rate_range CHECK (did_not_try_rate >= '0'::double precision AND did_not_try_rate <= '1'::double precision),
  constraint chk_region_analyses_failed_rate_range CHECK (failed_rate >= '0'::double precision AND failed_rate <= '1'::double precision),
  constraint chk_region_analyses_id_not_empty CHECK (id <> ''::text),
  constraint chk_region_analyses_rules_array CHECK (jsonb_typeof(rules) = 'array'::text),
  constraint chk_region_analyses_simulation_id_not_empty CHECK (simulation_id <> ''::text),
  constraint chk_region_analyses_success_rate_range CHECK (success_rate >= '0'::double precision AND success_rate <= '1'::double precision),
  constraint chk_region_analyses_synth_count_range CHECK (synth_count >= 0),
  constraint chk_region_analyses_synth_percentage_range CHECK (synth_percentage >= '0'::double precision AND synth_percentage <= '100'::double precision)
);
CREATE INDEX idx_regions_simulation ON region_analyses USING btree (simulation_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON region_analyses FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION region_analyses_raise_row_version_fn();

create table research_executions (
  exec_id text not null,
  experiment_id text,
  topic_name text not null,
  status text not null default 'pending'::text,
  synth_count integer not null default 0,
  successful_count integer not null default 0,
  failed_count integer not null default 0,
  model text not null default 'gpt-4o-mini'::text,
  max_turns integer not null default 6,
  started_at timestamp(6) with time zone not null,
  completed_at timestamp(6) with time zone,
  additional_context text,
  row_version integer not null default 1,
  constraint research_executions_pkey PRIMARY KEY (exec_id),
  constraint fk_research_executions_experiment_id FOREIGN KEY (experiment_id) REFERENCES experiments(id) ON DELETE SET NULL,
  constraint chk_research_executions_exec_id_not_empty CHECK (exec_id <> ''::text),
  constraint chk_research_executions_failed_count_range CHECK (failed_count >= 0),
  constraint chk_research_executions_max_turns_range CHECK (max_turns >= 0),
  constraint chk_research_executions_status CHECK (status = ANY (ARRAY['pending'::text, 'running'::text, 'generating_summary'::text, 'completed'::text, 'failed'::text])),
  constraint chk_research_executions_successful_count_range CHECK (successful_count >= 0),
  constraint chk_research_executions_synth_count_range CHECK (synth_count >= 0)
);
CREATE INDEX idx_executions_topic ON research_executions USING btree (topic_name);
CREATE INDEX idx_research_executions_experiment_id_started_at_exec_id ON research_executions USING btree (experiment_id, started_at DESC, exec_id DESC);
CREATE INDEX idx_research_executions_pending_started_at_exec_id ON research_executions USING btree (started_at, exec_id) WHERE status = 'pending'::text;
CREATE INDEX idx_research_executions_started_at_exec_id ON research_executions USING btree (started_at DESC, exec_id DESC);
CREATE INDEX idx_research_executions_status_exec_id ON research_executions USING btree (status, exec_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON research_executions FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION research_executions_raise_row_version_fn();

create table scenario_nodes (
  id text not null,
  exploration_id text not null,
  parent_id text,
  depth integer not null default 0,
  action_applied text,
  action_category text,
  rationale text,
  short_action text,
  scorecard_params jsonb not null,
  simulation_results jsonb,
  execution_time_seconds double precision,
  node_status text not null default 'active'::text,
  created_at timestamp(6) with time zone not null default now(),
  row_version integer not null default 1,
  constraint scenario_nodes_pkey PRIMARY KEY (id),
  constraint fk_scenario_nodes_exploration_id FOREIGN KEY (exploration_id) REFERENCES explorations(id) ON DELETE CASCADE,
  constraint fk_scenario_nodes_parent_id FOREIGN KEY (parent_id) REFERENCES scenario_nodes(id) ON DELETE SET NULL,
  constraint chk_scenario_nodes_action_applied_length CHECK (char_length(action_applied) <= 500),
  constraint chk_scenario_nodes_depth_range CHECK (depth >= 0),
  constraint chk_scenario_nodes_execution_time_seconds_range CHECK (execution_time_seconds >= '0'::double precision),
  constraint chk_scenario_nodes_id_not_empty CHECK (id <> ''::text),
  constraint chk_scenario_nodes_node_status CHECK (node_status = ANY (ARRAY['active'::text, 'dominated'::text, 'winner'::text, 'expansion_failed'::text])),
  constraint chk_scenario_nodes_rationale_length CHECK (char_length(rationale) <= 200),
  constraint chk_scenario_nodes_scorecard_params_object CHECK (jsonb_typeof(scorecard_params) = 'object'::text),
  constraint chk_scenario_nodes_short_action_length CHECK (char_length(short_action) <= 30),
  constraint chk_scenario_nodes_simulation_results_object CHECK (jsonb_typeof(simulation_results) = 'object'::text)
);
CREATE INDEX idx_scenario_nodes_exploration_id_depth_created_at_id ON scenario_nodes USING btree (exploration_id, depth, created_at, id);
CREATE INDEX idx_scenario_nodes_parent_id_created_at_id ON scenario_nodes USING btree (parent_id, created_at, id);
CREATE INDEX idx_scenario_nodes_status ON scenario_nodes USING btree (exploration_id, node_status);
CREATE UNIQUE INDEX uq_scenario_nodes_root ON scenario_nodes USING btree (exploration_id) WHERE depth = 0;
CREATE UNIQUE INDEX uq_scenario_nodes_winner ON scenario_nodes USING btree (exploration_id) WHERE node_status = 'winner'::text;
CREATE TRIGGER raise_row_version BEFORE UPDATE ON scenario_nodes FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION scenario_nodes_raise_row_version_fn();

create table sensitivity_results (
  id text not null,
  simulation_id text not null,
  analyzed_at timestamp(6) with time zone not null,
  deltas_used jsonb not null,
  baseline_success double precision not null,
  most_sensitive_dimension text not null,
  dimensions jsonb not null,
  created_at timestamp(6) with time zone not null default now(),
  row_version integer not null default 1,
  constraint sensitivity_results_pkey PRIMARY KEY (id),
  constraint chk_sensitivity_results_baseline_success_range CHECK (baseline_success >= '0'::double precision AND baseline_success <= '1'::double precision),
  constraint chk_sensitivity_results_deltas_used_array CHECK (jsonb_typeof(deltas_used) = 'array'::text),
  constraint chk_sensitivity_results_dimensions_array CHECK (jsonb_typeof(dimensions) = 'array'::text),
  constraint chk_sensitivity_results_id_not_empty CHECK (id <> ''::text),
  constraint chk_sensitivity_results_simulation_id_not_empty CHECK (simulation_id <> ''::text)
);
CREATE INDEX idx_sensitivity_analyzed_at ON sensitivity_results USING btree (analyzed_at);
CREATE INDEX idx_sensitivity_simulation ON sensitivity_results USING btree (simulation_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON sensitivity_results FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION sensitivity_results_raise_row_version_fn();

create table simulation_runs (
  id text not null,
  scorecard_id text not null,
  scenario_id text not null,
  config jsonb not null,
  status text not null default 'pending'::text,
  started_at timestamp(6) with time zone not null,
  completed_at timestamp(6) with time zone,
  total_synths integer not null default 0,
  aggregated_outcomes jsonb,
  execution_time_seconds double precision,
  row_version integer not null default 1,
  constraint simulation_runs_pkey PRIMARY KEY (id),
  constraint fk_simulation_runs_scorecard_id FOREIGN KEY (scorecard_id) REFERENCES feature_scorecards(id) ON DELETE CASCADE,
  constraint chk_simulation_runs_aggregated_outcomes_object CHECK (jsonb_typeof(aggregated_outcomes) = 'object'::text),
  constraint chk_simulation_runs_config_object CHECK (jsonb_typeof(config) = 'object'::text),
  constraint chk_simulation_runs_execution_time_seconds_range CHECK (execution_time_seconds >= '0'::double precision),
  constraint chk_simulation_runs_id_not_empty CHECK (id <> ''::text),
  constraint chk_simulation_runs_status CHECK (status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text])),
  constraint chk_simulation_runs_total_synths_range CHECK (total_synths >= 0)
);
CREATE INDEX idx_simulation_runs_started_at_id ON simulation_runs USING btree (started_at DESC, id DESC);
CREATE INDEX idx_simulations_scorecard ON simulation_runs USING btree (scorecard_id);
CREATE INDEX idx_simulations_status ON simulation_runs USING btree (status);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON simulation_runs FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION simulation_runs_raise_row_version_fn();

create table synth_groups (
  id text not null,
  name text not null,
  description text,
  created_at timestamp(6) with time zone not null default now(),
  row_version integer not null default 1,
  constraint synth_groups_pkey PRIMARY KEY (id),
  constraint chk_synth_groups_id_not_empty CHECK (id <> ''::text),
  constraint chk_synth_groups_name_not_blank CHECK (name ~ '\S'::text)
);
CREATE INDEX idx_synth_groups_created_at_id ON synth_groups USING btree (created_at DESC, id DESC);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON synth_groups FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION synth_groups_raise_row_version_fn();

create table synth_outcomes (
  id text not null,
  analysis_id text not null,
  synth_id text not null,
  did_not_try_rate double precision not null,
  failed_rate double precision not null,
  success_rate double precision not null,
  synth_attributes jsonb,
  row_version integer not null default 1,
  constraint synth_outcomes_pkey PRIMARY KEY (id),
  constraint uq_synth_outcomes_analysis_synth UNIQUE (analysis_id, synth_id),
  constraint fk_synth_outcomes_analysis_id FOREIGN KEY (analysis_id) REFERENCES analysis_runs(id) ON DELETE CASCADE,
  constraint chk_synth_outcomes_did_not_try_rate_range CHECK (did_not_try_rate >= '0'::double precision AND did_not_try_rate <= '1'::double precision),
  constraint chk_synth_outcomes_failed_rate_range CHECK (failed_rate >= '0'::double precision AND failed_rate <= '1'::double precision),
  constraint chk_synth_outcomes_id_not_empty CHECK (id <> ''::text),
  constraint chk_synth_outcomes_success_rate_range CHECK (success_rate >= '0'::double precision AND success_rate <= '1'::double precision),
  constraint chk_synth_outcomes_synth_attributes_object CHECK (jsonb_typeof(synth_attributes) = 'object'::text),
  constraint chk_synth_outcomes_synth_id_not_empty CHECK (synth_id <> ''::text)
);
CREATE INDEX idx_synth_outcomes_synth_id ON synth_outcomes USING btree (synth_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON synth_outcomes FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION synth_outcomes_raise_row_version_fn();

create table synths (
  id text not null,
  synth_group_id text,
  nome text not null,
  descricao text,
  link_photo text,
  avatar_path text,
  created_at timestamp(6) with time zone not null default now(),
  version text not null default '2.0.0'::text,
  data jsonb,
  row_version integer not null default 1,
  constraint synths_pkey PRIMARY KEY (id),
  constraint fk_synths_synth_group_id FOREIGN KEY (synth_group_id) REFERENCES synth_groups(id) ON DELETE SET NULL,
  constraint chk_synths_data_object CHECK (jsonb_typeof(data) = 'object'::text),
  constraint chk_synths_id_not_empty CHECK (id <> ''::text)
);
CREATE INDEX idx_synths_created_at_id ON synths USING btree (created_at DESC, id DESC);
CREATE INDEX idx_synths_data ON synths USING gin (data jsonb_path_ops);
CREATE INDEX idx_synths_nome ON synths USING btree (nome);
CREATE INDEX idx_synths_synth_group_id_created_at_id ON synths USING btree (synth_group_id, created_at DESC, id DESC);
CREATE INDEX idx_synths_synth_group_id_nome_id ON synths USING btree (synth_group_id, nome, id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON synths FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION synths_raise_row_version_fn();

create table transcripts (
  id text not null,
  exec_id text not null,
  synth_id text not null,
  synth_name text not null,
  status text not null default 'pending'::text,
  turn_count integer not null default 0,
  "timestamp" timestamp(6) with time zone not null,
  messages jsonb,
  row_version integer not null default 1,
  constraint transcripts_pkey PRIMARY KEY (id),
  constraint uq_transcripts_exec_synth UNIQUE (exec_id, synth_id),
  constraint fk_transcripts_exec_id FOREIGN KEY (exec_id) REFERENCES research_executions(exec_id) ON DELETE CASCADE,
  constraint chk_transcripts_id_not_empty CHECK (id <> ''::text),
  constraint chk_transcripts_messages_array CHECK (jsonb_typeof(messages) = 'array'::text),
  constraint chk_transcripts_synth_id_not_empty CHECK (synth_id <> ''::text),
  constraint chk_transcripts_turn_count_range CHECK (turn_count >= 0)
);
CREATE INDEX idx_transcripts_exec_id_timestamp_id ON transcripts USING btree (exec_id, "timestamp" DESC, id DESC);
CREATE INDEX idx_transcripts_synth ON transcripts USING btree (synth_id);
CREATE TRIGGER raise_row_version BEFORE UPDATE ON transcripts FOR EACH ROW WHEN (new.row_version = old.row_version AND new.* IS DISTINCT FROM old.*) EXECUTE FUNCTION transcripts_raise_row_version_fn();

CREATE OR REPLACE FUNCTION public.analysis_cache_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.analysis_runs_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.chart_insights_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.chart_insights_set_updated_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.updated_at := clock_timestamp(); return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.experiment_documents_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.experiments_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.experiments_set_updated_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.updated_at := clock_timestamp(); return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.explorations_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.feature_scorecards_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.feature_scorecards_set_updated_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.updated_at := clock_timestamp(); return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.interview_guide_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.interview_guide_set_updated_at_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.updated_at := clock_timestamp(); return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.region_analyses_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.research_executions_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.scenario_nodes_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.sensitivity_results_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.simulation_runs_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.synth_groups_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.synth_outcomes_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.synths_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;

CREATE OR REPLACE FUNCTION public.transcripts_raise_row_version_fn()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin new.row_version := old.row_version + 1; return new; end; $function$
;
