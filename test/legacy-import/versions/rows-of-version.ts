import type { LegacyRow, LegacyRows } from '../legacy-file.ts';
import { versions, type Shape } from './schema-version.ts';

// Times as the old code wrote them: with an offset where it asked for UTC, else local and without a zone.
const two = (day: number): string => String(day).padStart(2, '0');
const utc = (day: number): string => `2025-12-${two(day)}T09:15:02.000${two(day)}7+00:00`;
const local = (day: number): string => `2025-12-${two(day)}T21:40:59.123456`;
const json = JSON.stringify;

/**
 * Returns rows for the tables of a file as a version wrote them, those of a later version under other keys. A column that the version's
 * code left to its default is left out.
 */
export function rowsOf(version: string, shape: Shape, tag: string): LegacyRows {
  const all: Record<string, readonly LegacyRow[]> = {
    ...people(version, tag),
    ...interviews(version, tag),
    ...simulations(version, tag),
    ...analyses(tag),
    ...documents(tag),
  };
  const rows: Record<string, readonly LegacyRow[]> = {};
  for (const [table, columns] of shape) {
    if (!all[table]) throw new Error(`there are no rows of ${table}`);
    const names = new Set(columns.map(({ name }) => name));
    rows[table] = all[table].map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name))),
    );
  }
  return rows;
}

const since = (version: string, first: string): boolean =>
  versions.indexOf(version) >= versions.indexOf(first);

function people(version: string, tag: string): LegacyRows {
  const demografia = {
    idade: 34,
    genero_biologico: 'feminino',
    localizacao: { pais: 'Brasil', regiao: 'Sul', estado: 'PR', cidade: 'Curitiba' },
    renda_mensal: 4120.5,
    ...(since(version, '13') ? {} : { identidade_genero: 'mulher cis' }),
  };
  const psicografia = {
    interesses: ['xadrez', 'música'],
    ...(since(version, '13') ? {} : { personalidade_big_five: { abertura: 61, neuroticismo: 12 } }),
  };
  const deficiencias = { visual: { tipo: 'nenhuma' }, motora: { tipo: 'leve', usa_cadeira_rodas: false } };
  const capacidades_tecnologicas = { alfabetizacao_digital: 80, dispositivos: { principal: 'computador' } };
  const observables = {
    digital_literacy: 0.8,
    similar_tool_experience: 0.4,
    motor_ability: 1,
    time_availability: 0.25,
    domain_expertise: 0.5,
  };
  const sections = { demografia, psicografia, deficiencias, capacidades_tecnologicas };
  const synth = (id: string, day: number): LegacyRow => ({
    id: `${id}${tag}`,
    nome: `Ana "${id}" Gonçalves`,
    arquetipo: 'Adulto Sul Curioso',
    descricao: 'Mulher de 34 anos',
    link_photo: 'https://example.org/a.png',
    created_at: utc(day),
    version: since(version, '13') ? '2.3.0' : '2.0.0',
    synth_group_id: day === 10 ? `grp_0000001${tag}` : null,
  });
  const documents = Object.fromEntries(Object.entries(sections).map(([name, value]) => [name, json(value)]));
  return {
    synth_groups: [
      { id: `grp_0000001${tag}`, name: 'Idosos', description: null, created_at: utc(9) },
      { id: `grp_0000002${tag}`, name: 'Jovens', description: 'De 18 a 25', created_at: utc(9) },
    ],
    synths: [
      {
        ...synth('synth', 10),
        ...documents,
        data: json(since(version, '13') ? { ...sections, observables } : sections),
      },
      // Sections that the generator left empty were not stored.
      {
        ...synth('other', 11),
        demografia: json({ idade: 71 }),
        // Outside the shape of today.
        deficiencias: json({ visual: { tipo: 'total' } }),
        data: json({ demografia: { idade: 71 }, deficiencias: { visual: { tipo: 'total' } } }),
      },
      { ...synth('plain', 12), data: null },
    ],
  };
}

function interviews(version: string, tag: string): LegacyRows {
  const execution = (index: number, experiment: string | null): LegacyRow => ({
    exec_id: `batch_compra_2025121${index}_${tag}`,
    experiment_id: experiment,
    topic_name: 'compra-amazon',
    status: index === 3 ? 'failed' : 'completed',
    synth_count: 2,
    successful_count: index === 3 ? 0 : 2,
    failed_count: index === 3 ? 2 : 0,
    model: 'gpt-5-mini',
    max_turns: 6,
    started_at: local(10 + index),
    completed_at: local(11 + index),
    summary_path: `output/reports/batch_${index}_summary.md`,
    summary_content: index === 3 ? null : `# Summary ${index} ${tag}\n\nFound 😀.`,
    additional_context: index === 1 ? 'Only mobile' : null,
  });
  // The first files were filled from those of interviews, whose messages were kept as they were.
  const said = version === '1' ? 'content' : 'text';
  const messages = json([
    { speaker: 'Interviewer', [said]: 'Olá', internal_notes: null },
    { speaker: 'Ana', [said]: 'Oi! "Tudo" bem?', internal_notes: 'calma' },
  ]);
  const transcript = (batch: number, synth: string): LegacyRow => ({
    exec_id: `batch_compra_2025121${batch}_${tag}`,
    synth_id: `${synth}${tag}`,
    synth_name: `Ana "${synth}" Gonçalves`,
    status: 'completed',
    turn_count: 2,
    timestamp: local(12),
    file_path: `output/transcripts/batch_${batch}/${synth}.json`,
    messages,
  });
  const prfaq = (index: number): LegacyRow => ({
    exec_id: `batch_compra_2025121${index}_${tag}`,
    generated_at: local(14 + index),
    model: 'gpt-5-mini',
    validation_status: 'valid',
    confidence_score: 0.75,
    headline: `Checkout "${index}"`,
    one_liner: 'One page.',
    faq_count: 8,
    markdown_path: `output/reports/batch_${index}_prfaq.md`,
    markdown_content: `# PR-FAQ ${index} ${tag}`,
    json_content: json({ faq: [{ q: 'Why?', a: 'Speed' }] }),
  });
  const failed = { markdown_content: null, json_content: null, headline: null, one_liner: null };
  return {
    research_executions: [
      execution(1, `exp_0000001${tag}`),
      execution(2, `exp_0000001${tag}`),
      execution(3, `exp_0000002${tag}`),
      execution(4, null),
    ],
    transcripts: [
      transcript(1, 'synth'),
      // From the versions in which a name could be missing; and one of a synth that is gone.
      { ...transcript(1, 'other'), ...(since(version, '7') ? {} : { synth_name: null }) },
      transcript(2, 'gone'),
      { ...transcript(4, 'plain'), messages: null, turn_count: 0 },
    ],
    prfaq_metadata: [
      prfaq(1),
      prfaq(2),
      { ...prfaq(3), ...failed, status: 'failed', error_message: 'timeout', started_at: local(17) },
      prfaq(4),
    ],
    topic_guides_cache: [
      {
        name: `compra-${tag}`,
        display_name: 'Compra',
        question_count: 5,
        file_count: 2,
        created_at: local(9),
      },
    ],
    schema_migrations: [1, 2, 3]
      .filter((number) => since(version, String(number)))
      .map((number) => ({ version: number, applied_at: '2025-12-20 16:01:30', description: 'x' })),
    interview_guide: [
      {
        experiment_id: `exp_0000001${tag}`,
        questions: 'Quais?',
        context_examples: null,
        created_at: utc(21),
      },
    ],
  };
}

function simulations(version: string, tag: string): LegacyRows {
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
  const keyed = since(version, '7') ? { id: `ana_0000001${tag}_other${tag}` } : {};
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

function analyses(tag: string): LegacyRows {
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

function documents(tag: string): LegacyRows {
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
