// One realistic document of each shape, as the old system writes them.

const rates = { did_not_try_rate: 0.215, failed_rate: 0.305, success_rate: 0.48 };

const observables = {
  digital_literacy: 0.62,
  similar_tool_experience: 0.41,
  motor_ability: 1,
  time_availability: 0,
  domain_expertise: 0.33,
};

const attributes = {
  observables,
  latent_traits: {
    capability_mean: 0.574,
    trust_mean: 0.494,
    friction_tolerance_mean: 0.3195,
    exploration_prob: 0.487,
  },
};

const scorecard = {
  feature_name: 'Checkout em uma etapa',
  scenario: 'baseline',
  description_text: 'O cliente paga sem sair da página.',
  description_media_urls: ['https://example.org/a.png'],
  complexity: { score: 0.3, rules_applied: ['2 conceitos novos'], lower_bound: 0.25, upper_bound: 0.35 },
  initial_effort: { score: 0.2, rules_applied: [], lower_bound: null, upper_bound: null },
  perceived_risk: { score: 0 },
  time_to_value: { score: 1 },
  justification: null,
  impact_hypotheses: ['Menos abandono'],
};

const synth = {
  demografia: {
    idade: 42,
    genero_biologico: 'feminino',
    identidade_genero: null,
    raca_etnia: 'indígena',
    localizacao: { pais: 'Brasil', regiao: 'Centro-Oeste', estado: 'DF', cidade: 'Brasília' },
    escolaridade: 'Pós-graduação',
    renda_mensal: 0,
    ocupacao: 'Engenheira',
    estado_civil: 'união estável',
    composicao_familiar: { tipo: 'multigeracional', numero_pessoas: 15 },
  },
  psicografia: {
    interesses: ['música'],
    contrato_cognitivo: {
      tipo: 'esforçado_confuso',
      perfil_cognitivo: 'Tenta, mas se perde.',
      regras: ['Pede ajuda'],
      efeito_esperado: 'Revela textos confusos.',
    },
    personalidade_big_five: {
      abertura: 0,
      conscienciosidade: 100,
      extroversao: 50,
      amabilidade: 7.5,
      neuroticismo: 3,
    },
  },
  deficiencias: {
    visual: { tipo: 'cegueira' },
    auditiva: { tipo: 'surdez' },
    motora: { tipo: 'leve' },
    cognitiva: { tipo: 'nenhuma' },
  },
  observables,
  simulation_attributes: attributes,
};

const sensitivityDimension = {
  dimension: 'complexity',
  baseline_value: 0.3,
  deltas_tested: [-0.1, -0.05, 0.05, 0.1],
  outcomes_by_delta: {
    '-0.1': { did_not_try: 0.2, failed: 0.3, success: 0.5 },
    '0.1': { did_not_try: 0.3, failed: 0.3, success: 0.4 },
  },
  sensitivity_index: 1.25,
  rank: 1,
};

const legacyDimension = { score: 0.4, rules_applied: ['r'], min_uncertainty: 0.05, max_uncertainty: 0.05 };

export const documents = {
  Scorecard: scorecard,
  ScorecardDimension: scorecard.complexity,
  AnalysisConfig: { n_synths: 500, n_executions: 100, sigma: 0.05, seed: null },
  OutcomeRates: rates,
  SimulationAttributes: attributes,
  Observables: observables,
  LatentTraits: attributes.latent_traits,
  SynthData: synth,
  Demographics: synth.demografia,
  Psychographics: synth.psicografia,
  Disabilities: synth.deficiencias,
  JsonObject: { points: [{ synth_id: 'x1y2z3', attempt_rate: 0.5, quadrant: 'ok' }], total_synths: 1 },
  TranscriptMessage: { speaker: 'Interviewer', text: '', internal_notes: 'Hesita.' },
  TranscriptMessages: [
    { speaker: 'Interviewer', text: 'Por que parou?', internal_notes: null },
    { speaker: 'Maria', text: 'O frete.' },
  ],
  ExplorationGoal: { metric: 'success_rate', operator: '>=', value: 0.8 },
  ExplorationConfig: {
    beam_width: 3,
    max_depth: 5,
    max_llm_calls: 20,
    n_executions: 100,
    sigma: 0.1,
    seed: 42,
  },
  ScorecardParams: { complexity: 0.3, initial_effort: 0.2, perceived_risk: 0, time_to_value: 1 },
  SimulationResults: { success_rate: 0.48, fail_rate: 0.305, did_not_try_rate: 0.215 },
  SensitivityDeltas: [-0.1, 0.1],
  SensitivityDimension: sensitivityDimension,
  SensitivityDimensions: [sensitivityDimension],
  RegionRule: { attribute: 'digital_literacy', operator: '<=', threshold: 0.35 },
  RegionRules: [
    { attribute: 'digital_literacy', operator: '<=', threshold: 0.35 },
    { attribute: 'trust_mean', operator: '>', threshold: -1 },
  ],
  FeatureScorecardData: {
    id: 'a1b2c3d4',
    experiment_id: null,
    identification: {
      feature_name: 'Checkout',
      use_scenario: 'Compra no mercado',
      created_at: '2025-11-02T10:20:30.123456+00:00',
      evaluators: ['Ana'],
    },
    description_text: 'O cliente paga sem sair da página.',
    description_media_urls: [],
    complexity: legacyDimension,
    initial_effort: legacyDimension,
    perceived_risk: { score: 0 },
    time_to_value: { score: 1, min_uncertainty: 0, max_uncertainty: 1 },
    justification: 'Porque sim.',
    impact_hypotheses: [],
    version: '1.0.0',
    created_at: '2025-11-02T10:20:30.123456+00:00',
    updated_at: null,
  },
  SimulationConfig: { n_synths: 1, n_executions: 1, sigma: 0.5, seed: 7 },
  SimulationOutcomes: { did_not_try: 0.2, failed: 0.3, success: 0.5 },
};
