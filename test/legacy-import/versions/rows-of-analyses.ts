import type { LegacyRow, LegacyRows } from '../legacy-file.ts';
import { isSince } from './schema-version.ts';
import { utc } from './times.ts';

const json = JSON.stringify;

/** Rows of simulations, as a version wrote them. */
export function simulations(version: string, tag: string): LegacyRows {
  const attributes = {
    observables: { digital_literacy: 0.5, similar_tool_experience: 0.4, motor_ability: 1 },
    latent_traits: { capability_mean: 0.1 },
  };
  const rates = { did_not_try_rate: 0.125, failed_rate: 0.375, success_rate: 0.5 };
  const dimension = {
    score: 0.25,
    rules_applied: ['dois passos'],
    min_uncertainty: 0.2,
    max_uncertainty: 0.3,
  };
  const outcome = (synth: string): LegacyRow => ({
    simulation_id: `sim_1${tag}`,
    analysis_id: `ana_0000001${tag}`,
    synth_id: `${synth}${tag}`,
    ...rates,
    synth_attributes: json(attributes),
  });
  // Two repositories wrote them: one left out the key, which SQLite then numbered or left NULL.
  const keyed = isSince(version, '7') ? { id: `ana_0000001${tag}_other${tag}` } : {};
  return {
    feature_scorecards: [
      {
        id: `a1b2c3d${tag}`,
        experiment_id: `exp_0000001${tag}`,
        data: json({
          id: `a1b2c3d${tag}`,
          identification: { feature_name: 'Checkout', use_scenario: 'Compra' },
          description_text: 'Um passo',
          complexity: dimension,
          initial_effort: dimension,
          perceived_risk: dimension,
          time_to_value: dimension,
        }),
        created_at: utc(23),
      },
    ],
    simulation_runs: [
      {
        id: `sim_1${tag}`,
        scorecard_id: `a1b2c3d${tag}`,
        scenario_id: 'baseline',
        config: json({ n_synths: 500, n_executions: 100, sigma: 0.05, seed: null }),
        status: 'completed',
        started_at: utc(23),
        completed_at: utc(24),
        total_synths: 2,
        aggregated_outcomes: json({ did_not_try: 0.125, failed: 0.375, success: 0.5 }),
        execution_time_seconds: 1.25,
      },
    ],
    synth_outcomes: [outcome('synth'), { ...outcome('other'), ...keyed }],
    region_analyses: [
      {
        id: `region_1${tag}`,
        simulation_id: `sim_1${tag}`,
        rules: json([{ attribute: 'trust_mean', operator: '<=', threshold: 0.48 }]),
        rule_text: 'trust_mean <= 0.48',
        synth_count: 40,
        synth_percentage: 8,
        ...rates,
        failure_delta: 0.2,
      },
    ],
    assumption_log: [
      {
        id: `log_1${tag}`,
        timestamp: utc(23),
        action: 'create_scorecard',
        scorecard_id: `a1b2c3d${tag}`,
        data: '{"a": 1}',
      },
    ],
    sensitivity_results: [
      {
        id: `sens_1${tag}`,
        simulation_id: `sim_1${tag}`,
        analyzed_at: utc(25),
        deltas_used: json([0.05, 0.1]),
        baseline_success: 0.5,
        most_sensitive_dimension: 'complexity',
        dimensions: json([{ dimension: 'complexity', baseline_value: 0.25 }]),
      },
    ],
    chart_insights: [
      {
        id: `ins_1${tag}`,
        simulation_id: `sim_1${tag}`,
        insight_type: 'heatmap',
        // As it was before the shape of today.
        response_json: json({
          simulation_id: `sim_1${tag}`,
          chart_type: 'heatmap',
          caption: 'x',
          confidence: 0.5,
        }),
        created_at: utc(26),
        updated_at: utc(27),
      },
      {
        id: `ins_2${tag}`,
        simulation_id: `sim_1${tag}`,
        insight_type: 'executive_summary',
        response_json: json({ executive_summary: 'Bom', generated_at: utc(27) }),
      },
    ],
  };
}

/** Rows of experiments and what was computed for them. */
export function analyses(tag: string): LegacyRows {
  const dimension = { score: 0.25, rules_applied: [], lower_bound: 0.2, upper_bound: 0.3 };
  const scorecard = {
    feature_name: 'Checkout',
    scenario: 'baseline',
    description_text: 'Um passo',
    complexity: dimension,
    initial_effort: dimension,
    perceived_risk: dimension,
    time_to_value: dimension,
  };
  const params = { complexity: 0.25, initial_effort: 0.25, perceived_risk: 0.25, time_to_value: 0.25 };
  const node = (id: string, parent: string | null, depth: number): LegacyRow => ({
    id: `node_000000${id}${tag}`,
    exploration_id: `expl_0000001${tag}`,
    parent_id: parent === null ? null : `node_000000${parent}${tag}`,
    depth,
    action_applied: depth === 0 ? null : 'Menos campos',
    short_action: depth === 0 ? null : 'Menos',
    scorecard_params: json(params),
    simulation_results: json({ success_rate: 0.5, fail_rate: 0.375, did_not_try_rate: 0.125 }),
    node_status: 'active',
    created_at: utc(29),
  });
  return {
    experiments: [1, 2].map((index) => ({
      id: `exp_000000${index}${tag}`,
      name: `Checkout ${index}`,
      hypothesis: 'Menos passos vendem mais',
      description: index === 1 ? 'Um passo' : null,
      scorecard_data: index === 1 ? json(scorecard) : null,
      created_at: utc(20 + index),
      updated_at: index === 1 ? utc(22) : null,
      status: index === 1 ? 'active' : 'deleted',
    })),
    analysis_runs: [
      {
        id: `ana_0000001${tag}`,
        experiment_id: `exp_0000001${tag}`,
        scenario_id: 'crisis',
        config: json({ n_synths: 500, n_executions: 100, sigma: 0.05, seed: null }),
        status: 'completed',
        started_at: utc(28),
        total_synths: 2,
        aggregated_outcomes: json({ did_not_try_rate: 0.125, failed_rate: 0.375, success_rate: 0.5 }),
        execution_time_seconds: 2.5,
      },
    ],
    analysis_cache: [
      {
        analysis_id: `ana_0000001${tag}`,
        cache_key: 'elbow',
        data: json({ k: [2, 3] }),
        params: 'null',
        computed_at: utc(29),
      },
    ],
    explorations: [
      {
        id: `expl_0000001${tag}`,
        experiment_id: `exp_0000001${tag}`,
        baseline_analysis_id: `ana_0000001${tag}`,
        goal: json({ metric: 'success_rate', operator: '>=', value: 0.6 }),
        config: json({ beam_width: 3, max_depth: 5 }),
        status: 'goal_achieved',
        current_depth: 1,
        total_nodes: 2,
        total_llm_calls: 1,
        best_success_rate: 0.5,
        started_at: utc(29),
        completed_at: utc(30),
      },
    ],
    // A child before its parent.
    scenario_nodes: [node('2', '1', 1), node('1', null, 0)],
  };
}

/** Rows of documents. */
export function ownDocuments(tag: string): LegacyRows {
  return {
    experiment_documents: [
      {
        id: `doc_0000001${tag}`,
        experiment_id: `exp_0000002${tag}`,
        document_type: 'summary',
        markdown_content: '# Own summary',
        metadata: json({ source: 'exploration' }),
        generated_at: utc(31),
        model: 'gpt-4o-mini',
      },
      {
        id: `doc_0000002${tag}`,
        experiment_id: `exp_0000002${tag}`,
        document_type: 'executive_summary',
        markdown_content: '',
        generated_at: utc(31),
        status: 'generating',
      },
    ],
  };
}
