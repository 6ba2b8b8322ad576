import { describe, expect, test } from 'vitest';
import type { UnitOfWork } from '../../src/database/unit-of-work.ts';
import type { Database } from '../../src/index.ts';
import {
  TestDatabase,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
} from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

const model = 'gpt-4o-mini';

/** Begins to sum an experiment's charts up. False when somebody else is at it. */
async function startSummary(database: Database, experimentId: string): Promise<boolean> {
  return database.transact(async ({ analysisRuns, analysisCache, experimentDocuments }) => {
    const run = await analysisRuns.getByExperiment(experimentId);
    const insights = await analysisCache.listChartInsights(run.id);
    if (insights.filter(({ insight }) => insight?.status === 'completed').length < 2) {
      throw new Error('there is too little to sum up');
    }
    return (await experimentDocuments.startGenerating(experimentId, 'executive_summary', { model })) !== null;
  });
}

/** Stores the summary, for the document and for the charts that it is shown beside. */
async function finishSummary(database: Database, experimentId: string, markdown: string): Promise<void> {
  await database.transact(async ({ analysisRuns, analysisCache, experimentDocuments }) => {
    const run = await analysisRuns.getByExperiment(experimentId);
    const insights = await analysisCache.listChartInsights(run.id);
    const charts = insights.map(({ chartType }) => chartType);
    await experimentDocuments.finishGenerating(experimentId, 'executive_summary', {
      status: 'completed',
      markdown,
      metadata: { analysis_id: run.id, included_chart_types: charts, total_insights: charts.length },
    });
    await analysisCache.saveExecutiveSummary({
      analysis_id: run.id,
      overview: markdown,
      explainability: 'e',
      segmentation: 's',
      edge_cases: 'c',
      recommendations: ['Show the fee first', 'Leave the fee out'],
      included_chart_types: charts,
      generation_timestamp: new Date().toISOString(),
      status: 'completed',
    });
  });
}

/** Notes that no summary could be made, so that another may be begun. */
async function failSummary(database: Database, experimentId: string, error: string): Promise<void> {
  await database.transact(async ({ experimentDocuments }) => {
    await experimentDocuments.finishGenerating(experimentId, 'executive_summary', {
      status: 'failed',
      error,
    });
  });
}

testWithFaults('beginning an executive summary', {
  given: (uow) => withInsights(uow, { insights: 2 }),
  run: (database, experiment) => startSummary(database, experiment),
  async promises({ experimentDocuments }, experiment) {
    expect(await experimentDocuments.findStatus(experiment, 'executive_summary')).toBe('generating');
  },
});

testWithFaults('finishing an executive summary', {
  given: generating,
  run: (database, experiment) => finishSummary(database, experiment, '# Fees'),
  async promises({ analysisRuns, analysisCache, experimentDocuments }, experiment) {
    expect(await experimentDocuments.findMarkdown(experiment, 'executive_summary')).toBe('# Fees');
    const { id } = await analysisRuns.getByExperiment(experiment);
    expect(await analysisCache.findExecutiveSummary(id)).toMatchObject({ overview: '# Fees' });
  },
});

testWithFaults('failing at an executive summary', {
  given: generating,
  run: (database, experiment) => failSummary(database, experiment, 'no answer'),
  async promises({ experimentDocuments }, experiment) {
    const document = await experimentDocuments.getByType(experiment, 'executive_summary');
    expect(document).toMatchObject({ status: 'failed', errorMessage: 'no answer' });
  },
});

describe('an executive summary', () => {
  test('of fewer than two insights is not begun', async () => {
    await using db = await TestDatabase.create();
    const experiment = await db.transact(async (uow) => withInsights(uow, { insights: 1 }));

    await expect(startSummary(db, experiment)).rejects.toThrow('too little');

    const found = db.read(({ experimentDocuments }) => experimentDocuments.listSummaries(experiment));
    expect(await found).toEqual([]);
  });

  test('that failed does not keep another from being begun', async () => {
    await using db = await TestDatabase.create();
    const experiment = await db.transact(async (uow) => withInsights(uow, { insights: 2 }));
    expect(await startSummary(db, experiment)).toBe(true);
    expect(await startSummary(db, experiment)).toBe(false);

    await failSummary(db, experiment, 'no answer');

    expect(await startSummary(db, experiment)).toBe(true);
  });
});

/** Stages an experiment with an analysis of which some charts have been commented on. */
function withInsights({ em }: UnitOfWork, { insights }: { insights: number }): string {
  const experiment = anExperiment(em);
  const analysis = anAnalysisRun(em, { experiment, status: 'completed' });
  for (const chart of ['heatmap', 'scatter'].slice(0, insights)) {
    anAnalysisCache(em, {
      analysis,
      cacheKey: `insight_${chart}`,
      data: {
        analysis_id: analysis.id,
        chart_type: chart,
        summary: 's',
        generation_timestamp: '2026-01-01T00:00:00Z',
        status: 'completed',
      },
    });
  }
  return experiment.id;
}

/** Stages one whose summary is being made. */
function generating(uow: UnitOfWork): string {
  const experiment = withInsights(uow, { insights: 2 });
  anExperimentDocument(uow.em, {
    experiment,
    documentType: 'executive_summary',
    status: 'generating',
    markdownContent: '',
  });
  return experiment;
}
