import type { ReadingUnitOfWork, UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { doc, orAbsent, orNull, untyped, word, type SampleOf } from './sample.ts';

type Given<Method> = Method extends (...given: infer Parameters) => unknown
  ? { readonly [Position in keyof Required<Parameters>]: SampleOf<Parameters[Position & keyof Parameters]> }
  : never;

type Calls = {
  readonly [Name in keyof ReadingUnitOfWork]: {
    readonly [Method in Exclude<keyof UnitOfWork[Name], 'add' | 'remove'>]: Given<UnitOfWork[Name][Method]>;
  };
};

const now = new Date();
const deleted = orAbsent(word('included'));
const stretch = { after: orAbsent(orNull('cursor')), limit: orAbsent(1) };
const page = (sortBy: string) => ({
  limit: orAbsent(1),
  offset: orAbsent(0),
  sortBy: orAbsent(word(sortBy)),
  sortOrder: orAbsent(word('asc')),
});
const group = orAbsent(orNull('grp_1'));
const criteria = { group, text: orAbsent('a'), filters: orAbsent(doc()) };
const guide = {
  contextDefinition: orAbsent(orNull('c')),
  questions: orAbsent(orNull('q')),
  contextExamples: orAbsent(orNull('e')),
};
const scorecards = { experimentId: orAbsent('exp_1'), deleted };
const simulations = {
  ...scorecards,
  scorecardId: orAbsent('card_1'),
  scenarioId: orAbsent('s'),
  status: orAbsent(word('completed')),
};

/** Every argument of every method, with all its fields, by the names that the methods have in a unit of work. */
export const sampleCalls: Calls = {
  analysisCache: {
    find: [['ana_1', 'heatmap']],
    get: [['ana_1', 'heatmap']],
    findEntry: ['ana_1', 'heatmap'],
    listEntries: ['ana_1'],
    findChartInsight: ['ana_1', 'heatmap'],
    listChartInsights: ['ana_1'],
    findExecutiveSummary: ['ana_1'],
    saveEntry: ['ana_1', 'mine', doc(), orAbsent(orNull(doc()))],
    saveEntries: ['ana_1', doc({ mine: {} })],
    removeEntry: ['ana_1', 'heatmap'],
    removeEntries: ['ana_1'],
    saveChartInsight: [doc({ analysis_id: 'ana_1', chart_type: 'heatmap' })],
    saveExecutiveSummary: [doc({ analysis_id: 'ana_1' })],
  },
  analysisRuns: {
    find: ['ana_1'],
    get: ['ana_1'],
    findByExperiment: ['exp_1'],
    getByExperiment: ['exp_1'],
    findLatestCompletedKey: ['exp_1'],
    lock: ['ana_1'],
    lockNextPending: [],
    recordStatus: [
      'ana_1',
      word('completed'),
      orAbsent({
        completedAt: orAbsent(orNull(now)),
        totalSynths: orAbsent(1),
        aggregatedOutcomes: orAbsent(orNull(doc())),
        executionTimeSeconds: orAbsent(orNull(1)),
      }),
    ],
    removeByExperiment: ['exp_1'],
  },
  chartInsights: {
    find: ['ins_1'],
    get: ['ins_1'],
    findByType: ['ana_1', 'heatmap'],
    getByType: ['ana_1', 'heatmap'],
    listBySimulation: ['ana_1'],
    findExecutiveSummary: ['ana_1'],
    saveInsight: ['ana_1', 'heatmap', doc()],
    saveExecutiveSummary: ['ana_1', 'All went well.'],
    removeByType: ['ana_1', 'heatmap'],
    removeBySimulation: ['ana_1'],
  },
  experimentDocuments: {
    find: ['doc_1'],
    get: ['doc_1'],
    findByType: ['exp_1', word('summary')],
    getByType: ['exp_1', word('summary')],
    listSummaries: ['exp_1'],
    findMarkdown: ['exp_1', word('summary')],
    findStatus: ['exp_1', word('summary')],
    existsByType: ['exp_1'],
    saveDocument: [
      'exp_1',
      word('summary'),
      { markdown: 't', metadata: orNull(doc()), model: 'm', status: orAbsent(word('partial')) },
    ],
    startGenerating: ['exp_1', word('summary'), { model: 'm', abandonedBefore: orAbsent(now) }],
    finishGenerating: [
      'exp_1',
      word('summary'),
      'token',
      // Of a failure: it has every field.
      { status: word('failed'), error: 'e', markdown: orAbsent('t'), metadata: orAbsent(orNull(doc())) },
    ],
    removeByType: ['exp_1', word('summary')],
  },
  experiments: {
    find: ['exp_1', orAbsent({ deleted })],
    get: ['exp_1', orAbsent({ deleted })],
    getSummary: ['exp_1', orAbsent({ deleted })],
    pageSummaries: [orAbsent({ ...page('name'), deleted })],
    listSummaries: [orAbsent({ ...stretch, deleted })],
    revise: ['exp_1', { name: orAbsent('n'), hypothesis: orAbsent('h'), description: orAbsent(orNull('d')) }],
    saveScorecard: ['exp_1', orNull(doc())],
    softDelete: ['exp_1'],
    restore: ['exp_1'],
  },
  explorations: {
    find: ['expl_1'],
    get: ['expl_1'],
    getSummary: ['expl_1'],
    pageSummaries: ['exp_1', orAbsent(page('startedAt'))],
    listSummaries: ['exp_1', orAbsent(stretch)],
    lock: ['expl_1'],
    recordLlmCalls: ['expl_1', 1],
    recordProgress: ['expl_1', { nodes: orAbsent(1), depth: orAbsent(1), successRate: orAbsent(0.5) }],
    finish: ['expl_1', word('goal_achieved'), orAbsent(now)],
  },
  featureScorecards: {
    find: ['card_1'],
    get: ['card_1'],
    page: [orAbsent({ ...page('createdAt'), ...scorecards })],
    list: [orAbsent({ ...stretch, ...scorecards })],
    count: [orAbsent(scorecards)],
  },
  interviewGuides: {
    find: ['exp_1'],
    get: ['exp_1'],
    exists: ['exp_1'],
    addIfAbsent: ['exp_1', guide],
    revise: ['exp_1', guide],
    removeByExperiment: ['exp_1'],
  },
  regionAnalyses: {
    find: ['region_1'],
    get: ['region_1'],
    listBySimulation: ['ana_1'],
    // Of what a row is made, `add` is asked.
    addAll: [[untyped(doc())]],
    removeBySimulation: ['ana_1'],
  },
  researchExecutions: {
    find: ['exec_1'],
    get: ['exec_1'],
    getDetail: ['exec_1'],
    pageSummaries: [orAbsent({ ...page('status'), experiment: orAbsent(orNull('exp_1')), deleted })],
    listSummaries: [orAbsent({ ...stretch, experiment: orAbsent(orNull('exp_1')), deleted })],
    findAutoInterview: ['exp_1'],
    existsSummaryBatch: [['exec_1']],
    existsPrfaqBatch: [['exec_1']],
    existsAdditionalContextBatch: [['exec_1']],
    listAdditionalContextBatch: [['exec_1']],
    lockNextPending: [],
    recordStatus: [
      'exec_1',
      word('running'),
      orAbsent({ successfulCount: orAbsent(1), failedCount: orAbsent(1) }),
    ],
    recordInterviews: ['exec_1', { successful: orAbsent(1), failed: orAbsent(1) }],
  },
  scenarioNodes: {
    find: ['node_1'],
    get: ['node_1'],
    getSummary: ['node_1'],
    findRoot: ['expl_1'],
    findWinner: ['expl_1'],
    findBest: ['expl_1'],
    listByExploration: ['expl_1'],
    listFrontier: ['expl_1'],
    listChildren: ['node_1'],
    listPath: ['node_1'],
    countByStatus: ['expl_1'],
    revise: [
      'node_1',
      {
        scorecardParams: orAbsent(doc()),
        simulationResults: orAbsent(orNull(doc())),
        executionTimeSeconds: orAbsent(orNull(1)),
        nodeStatus: orAbsent(word('winner')),
      },
    ],
    saveSimulation: ['node_1', orNull(doc()), orNull(1)],
    changeStatus: [['node_1'], word('winner')],
  },
  sensitivityResults: {
    find: ['sens_1'],
    get: ['sens_1'],
    findLatest: ['ana_1'],
    removeBySimulation: ['ana_1'],
  },
  simulationRuns: {
    find: ['sim_1'],
    get: ['sim_1'],
    page: [orAbsent({ ...page('startedAt'), ...simulations })],
    list: [orAbsent({ ...stretch, ...simulations })],
    count: [orAbsent(simulations)],
    pageOutcomes: ['sim_1', orAbsent(page('synthId'))],
    listOutcomes: ['sim_1', orAbsent(stretch)],
  },
  synthGroups: {
    find: ['grp_1'],
    get: ['grp_1'],
    findSummary: ['grp_1'],
    findDetail: ['grp_1', orAbsent(stretch)],
    pageSummaries: [orAbsent(page('name'))],
    listSummaries: [orAbsent(stretch)],
    ensureDefault: [],
    ensureNamed: ['n', orAbsent(orNull('d'))],
  },
  synthOutcomes: {
    find: ['out_1'],
    get: ['out_1'],
    findForSynth: ['ana_1', 'syn_1'],
    findLatestForSynth: ['syn_1', orAbsent({ deleted })],
    listForAnalysis: ['ana_1'],
    listSummaries: ['ana_1', orAbsent(stretch)],
    pageForAnalysis: ['ana_1', orAbsent(page('synthId'))],
    countForAnalysis: ['ana_1'],
    findStatistics: ['ana_1'],
    saveAll: [
      'ana_1',
      [
        {
          id: orAbsent('out_1'),
          synthId: 'syn_1',
          didNotTryRate: 0,
          failedRate: 0,
          successRate: 1,
          synthAttributes: orNull(doc()),
        },
      ],
    ],
    removeForAnalysis: ['ana_1'],
  },
  synths: {
    find: ['syn_1'],
    get: ['syn_1'],
    getDetail: ['syn_1'],
    getAvatarPath: ['syn_1'],
    pageSummaries: [orAbsent({ ...page('name'), group })],
    listSummaries: [orAbsent({ ...stretch, group })],
    listDetails: [orAbsent({ ...stretch, group })],
    search: [orAbsent({ ...page('name'), ...criteria })],
    searchSummaries: [orAbsent({ ...stretch, ...criteria })],
    count: [orAbsent({ group })],
    listFields: [],
    getExtremeCases: ['exp_1', orAbsent(1)],
    listForSimulation: ['exp_1', orAbsent(1)],
    store: [
      {
        id: 'syn_1',
        name: 'n',
        group,
        description: orAbsent(orNull('d')),
        linkPhoto: orAbsent(orNull('l')),
        avatarPath: orAbsent(orNull('a')),
        version: orAbsent('1'),
        data: orAbsent(orNull(doc())),
        createdAt: orAbsent(now),
      },
    ],
    saveAvatarPath: ['syn_1', orNull('a')],
  },
  transcripts: {
    find: ['trn_1'],
    get: ['trn_1'],
    record: [
      'exec_1',
      {
        synthId: 'syn_1',
        synthName: 'n',
        messages: [doc()],
        status: orAbsent('completed'),
        recordedAt: orAbsent(now),
      },
    ],
    getDetail: ['exec_1', 'syn_1'],
    pageSummaries: ['exec_1', orAbsent(page('recordedAt'))],
    listSummaries: ['exec_1', orAbsent(stretch)],
    countTurnsBatch: [['exec_1']],
  },
};
