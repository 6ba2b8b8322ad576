import { Migration } from '@mikro-orm/migrations';

const tables = [
  'synth_groups',
  'synths',
  'experiments',
  'interview_guide',
  'analysis_runs',
  'synth_outcomes',
  'analysis_cache',
  'research_executions',
  'transcripts',
  'explorations',
  'scenario_nodes',
  'chart_insights',
  'sensitivity_results',
  'region_analyses',
  'experiment_documents',
  'feature_scorecards',
  'simulation_runs',
];

// Tables that have `updated_at`.
const changing = ['experiments', 'interview_guide', 'chart_insights', 'feature_scorecards'];

/**
 * The seventeen tables with their keys, defaults and indexes, under the names that they have always had. Times are `timestamptz`
 * and documents `jsonb`; `updated_at` moves by a trigger for the writes that don't set it.
 *
 * Locks: none that matter, the tables are new.
 * Going back loses every row of every table.
 */
export class Migration20261121030000_initial_schema extends Migration {
  static readonly loses = tables.map((table) => `${table}: every row`);

  override name = 'Migration20261121030000_initial_schema';
  static readonly lint = {
    'foreign-key-without-index':
      'that of explorations.baseline_analysis_id comes with Migration20261121030400',
  };

  override up(): void {
    this.addSql(`
      create table synth_groups (
        id text not null,
        name text not null,
        description text,
        created_at timestamptz(6) not null default now(),
        primary key (id)
      )`);
    this.addSql(`create index idx_synth_groups_created on synth_groups (created_at desc)`);

    this.addSql(`
      create table synths (
        id text not null,
        synth_group_id text,
        nome text not null,
        descricao text,
        link_photo text,
        avatar_path text,
        created_at timestamptz(6) not null default now(),
        version text not null default '2.0.0',
        data jsonb,
        primary key (id),
        constraint fk_synths_synth_group_id foreign key (synth_group_id) references synth_groups (id) on delete set null
      )`);
    this.addSql(`create index idx_synths_created_at on synths (created_at desc)`);
    this.addSql(`create index idx_synths_nome on synths (nome)`);
    this.addSql(`create index idx_synths_group on synths (synth_group_id)`);

    this.addSql(`
      create table experiments (
        id text not null,
        name text not null,
        hypothesis text not null,
        description text,
        scorecard_data jsonb,
        created_at timestamptz(6) not null default now(),
        updated_at timestamptz(6),
        status text not null default 'active',
        primary key (id)
      )`);
    this.addSql(`create index idx_experiments_created on experiments (created_at desc)`);
    this.addSql(`create index idx_experiments_name on experiments (name)`);
    this.addSql(`create index idx_experiments_status on experiments (status)`);

    this.addSql(`
      create table interview_guide (
        experiment_id text not null,
        context_definition text,
        questions text,
        context_examples text,
        created_at timestamptz(6) not null default now(),
        updated_at timestamptz(6),
        primary key (experiment_id),
        constraint fk_interview_guide_experiment_id foreign key (experiment_id) references experiments (id) on delete cascade
      )`);

    this.addSql(`
      create table analysis_runs (
        id text not null,
        experiment_id text not null,
        scenario_id text not null default 'baseline',
        config jsonb not null,
        status text not null default 'pending',
        started_at timestamptz(6) not null,
        completed_at timestamptz(6),
        total_synths int not null default 0,
        aggregated_outcomes jsonb,
        execution_time_seconds double precision,
        primary key (id),
        constraint uq_analysis_runs_experiment_id unique (experiment_id),
        constraint fk_analysis_runs_experiment_id foreign key (experiment_id) references experiments (id) on delete cascade
      )`);
    this.addSql(`create index idx_analysis_runs_experiment on analysis_runs (experiment_id)`);
    this.addSql(`create index idx_analysis_runs_status on analysis_runs (status)`);

    this.addSql(`
      create table synth_outcomes (
        id text not null,
        analysis_id text not null,
        synth_id text not null,
        did_not_try_rate double precision not null,
        failed_rate double precision not null,
        success_rate double precision not null,
        synth_attributes jsonb,
        primary key (id),
        constraint uq_synth_outcomes_analysis_synth unique (analysis_id, synth_id),
        constraint fk_synth_outcomes_analysis_id foreign key (analysis_id) references analysis_runs (id) on delete cascade
      )`);
    this.addSql(`create index idx_outcomes_analysis on synth_outcomes (analysis_id)`);

    this.addSql(`
      create table analysis_cache (
        analysis_id text not null,
        cache_key text not null,
        data jsonb not null,
        params jsonb,
        computed_at timestamptz(6) not null,
        primary key (analysis_id, cache_key),
        constraint fk_analysis_cache_analysis_id foreign key (analysis_id) references analysis_runs (id) on delete cascade
      )`);
    this.addSql(`create index idx_analysis_cache_analysis on analysis_cache (analysis_id)`);

    this.addSql(`
      create table research_executions (
        exec_id text not null,
        experiment_id text,
        topic_name text not null,
        status text not null default 'pending',
        synth_count int not null default 0,
        successful_count int not null default 0,
        failed_count int not null default 0,
        model text not null default 'gpt-4o-mini',
        max_turns int not null default 6,
        started_at timestamptz(6) not null,
        completed_at timestamptz(6),
        additional_context text,
        primary key (exec_id),
        constraint fk_research_executions_experiment_id foreign key (experiment_id) references experiments (id) on delete set null
      )`);
    this.addSql(`create index idx_executions_topic on research_executions (topic_name)`);
    this.addSql(`create index idx_executions_status on research_executions (status)`);
    this.addSql(`create index idx_executions_started on research_executions (started_at desc)`);
    this.addSql(`create index idx_executions_experiment on research_executions (experiment_id)`);

    this.addSql(`
      create table transcripts (
        id text not null,
        exec_id text not null,
        synth_id text not null,
        synth_name text not null,
        status text not null default 'pending',
        turn_count int not null default 0,
        "timestamp" timestamptz(6) not null,
        messages jsonb,
        primary key (id),
        constraint uq_transcripts_exec_synth unique (exec_id, synth_id),
        constraint fk_transcripts_exec_id foreign key (exec_id) references research_executions (exec_id) on delete cascade
      )`);
    this.addSql(`create index idx_transcripts_exec on transcripts (exec_id)`);
    this.addSql(`create index idx_transcripts_synth on transcripts (synth_id)`);

    this.addSql(`
      create table explorations (
        id text not null,
        experiment_id text not null,
        baseline_analysis_id text not null,
        goal jsonb not null,
        config jsonb not null,
        status text not null default 'running',
        current_depth int not null default 0,
        total_nodes int not null default 0,
        total_llm_calls int not null default 0,
        best_success_rate double precision,
        started_at timestamptz(6) not null,
        completed_at timestamptz(6),
        primary key (id),
        constraint fk_explorations_experiment_id foreign key (experiment_id) references experiments (id) on delete cascade,
        constraint fk_explorations_baseline_analysis_id foreign key (baseline_analysis_id) references analysis_runs (id) on delete cascade
      )`);
    this.addSql(`create index idx_explorations_experiment on explorations (experiment_id)`);
    this.addSql(`create index idx_explorations_status on explorations (status)`);

    this.addSql(`
      create table scenario_nodes (
        id text not null,
        exploration_id text not null,
        parent_id text,
        depth int not null default 0,
        action_applied text,
        action_category text,
        rationale text,
        short_action text,
        scorecard_params jsonb not null,
        simulation_results jsonb,
        execution_time_seconds double precision,
        node_status text not null default 'active',
        created_at timestamptz(6) not null default now(),
        primary key (id),
        constraint fk_scenario_nodes_exploration_id foreign key (exploration_id) references explorations (id) on delete cascade,
        constraint fk_scenario_nodes_parent_id foreign key (parent_id) references scenario_nodes (id) on delete set null
      )`);
    this.addSql(`create index idx_scenario_nodes_exploration on scenario_nodes (exploration_id)`);
    this.addSql(`create index idx_scenario_nodes_parent on scenario_nodes (parent_id)`);
    this.addSql(`create index idx_scenario_nodes_status on scenario_nodes (exploration_id, node_status)`);
    this.addSql(`create index idx_scenario_nodes_depth on scenario_nodes (exploration_id, depth)`);

    this.addSql(`
      create table chart_insights (
        id text not null,
        simulation_id text not null,
        insight_type text not null,
        response_json jsonb not null,
        created_at timestamptz(6) not null default now(),
        updated_at timestamptz(6),
        primary key (id),
        constraint uq_chart_insights_sim_type unique (simulation_id, insight_type)
      )`);
    this.addSql(`create index idx_chart_insights_simulation on chart_insights (simulation_id)`);
    this.addSql(`create index idx_chart_insights_type on chart_insights (insight_type)`);

    this.addSql(`
      create table sensitivity_results (
        id text not null,
        simulation_id text not null,
        analyzed_at timestamptz(6) not null,
        deltas_used jsonb not null,
        baseline_success double precision not null,
        most_sensitive_dimension text not null,
        dimensions jsonb not null,
        created_at timestamptz(6) not null default now(),
        primary key (id)
      )`);
    this.addSql(`create index idx_sensitivity_simulation on sensitivity_results (simulation_id)`);
    this.addSql(`create index idx_sensitivity_analyzed_at on sensitivity_results (analyzed_at)`);

    this.addSql(`
      create table region_analyses (
        id text not null,
        simulation_id text not null,
        rules jsonb not null,
        rule_text text not null,
        synth_count int not null,
        synth_percentage double precision not null,
        did_not_try_rate double precision not null,
        failed_rate double precision not null,
        success_rate double precision not null,
        failure_delta double precision not null,
        primary key (id)
      )`);
    this.addSql(`create index idx_regions_simulation on region_analyses (simulation_id)`);

    this.addSql(`
      create table experiment_documents (
        id text not null,
        experiment_id text not null,
        document_type text not null,
        markdown_content text not null,
        metadata jsonb,
        generated_at timestamptz(6) not null,
        model text not null default 'gpt-4o-mini',
        status text not null default 'completed',
        error_message text,
        primary key (id),
        constraint uq_experiment_documents_exp_type unique (experiment_id, document_type),
        constraint fk_experiment_documents_experiment_id foreign key (experiment_id) references experiments (id) on delete cascade
      )`);
    this.addSql(`create index idx_experiment_documents_experiment on experiment_documents (experiment_id)`);
    this.addSql(`create index idx_experiment_documents_type on experiment_documents (document_type)`);
    this.addSql(`create index idx_experiment_documents_status on experiment_documents (status)`);

    this.addSql(`
      create table feature_scorecards (
        id text not null,
        experiment_id text,
        data jsonb not null,
        created_at timestamptz(6) not null default now(),
        updated_at timestamptz(6),
        primary key (id),
        constraint fk_feature_scorecards_experiment_id foreign key (experiment_id) references experiments (id) on delete set null
      )`);
    this.addSql(`create index idx_scorecards_experiment on feature_scorecards (experiment_id)`);

    this.addSql(`
      create table simulation_runs (
        id text not null,
        scorecard_id text not null,
        scenario_id text not null,
        config jsonb not null,
        status text not null default 'pending',
        started_at timestamptz(6) not null,
        completed_at timestamptz(6),
        total_synths int not null default 0,
        aggregated_outcomes jsonb,
        execution_time_seconds double precision,
        primary key (id),
        constraint fk_simulation_runs_scorecard_id foreign key (scorecard_id) references feature_scorecards (id) on delete cascade
      )`);
    this.addSql(`create index idx_simulations_scorecard on simulation_runs (scorecard_id)`);
    this.addSql(`create index idx_simulations_status on simulation_runs (status)`);

    // Exactly as the ORM writes it from the entities, so that the two agree to the letter.
    for (const table of changing) {
      this.addSql(
        `create function ${table}_set_updated_at_fn() returns trigger as $$ begin if new is distinct from old and new.updated_at is not distinct from old.updated_at then new.updated_at := clock_timestamp(); end if; return new; end; $$ language plpgsql`,
      );
      this.addSql(
        `create trigger set_updated_at before update on ${table} for each row execute function ${table}_set_updated_at_fn()`,
      );
    }
  }

  override down(): void {
    for (const table of tables.toReversed()) this.addSql(`drop table ${table}`);
    for (const table of changing) this.addSql(`drop function ${table}_set_updated_at_fn()`);
  }
}
