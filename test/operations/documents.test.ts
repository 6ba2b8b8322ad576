import { describe, expect, test } from 'vitest';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { ContentionError, type Database } from '../../src/index.ts';
import type { Generation } from '../../src/repositories/index.ts';
import { TestDatabase, anAnalysisCache, anAnalysisRun, anExperiment } from '../../src/testing/index.ts';
import { testWithFaults } from './with-faults.ts';

const model = 'gpt-4o-mini';

/** An experiment whose summary is being made, and by which generation. */
interface Generating {
  readonly experimentId: string;
  readonly token: string;
}

/** Begins to sum an experiment's charts up; null when somebody else is at it. */
async function startSummary(database: Database, experimentId: string): Promise<Generation | null> {
  return database.transact(async ({ analysisRuns, analysisCache, experimentDocuments }) => {
    const run = await analysisRuns.getByExperiment(experimentId);
    const insights = await analysisCache.listChartInsights(run.id);
    if (insights.filter(({ insight }) => insight?.status === 'completed').length < 2) {
      throw new Error('there is too little to sum up');
    }
    return experimentDocuments.startGenerating(experimentId, 'executive_summary', { model });
  });
}

/** Stores the summary, for the document and for the charts that it is shown beside. */
async function finishSummary(
  database: Database,
  { experimentId, token }: Generating,
  markdown: string,
): Promise<void> {
  await database.transact(async ({ analysisRuns, analysisCache, experimentDocuments }) => {
    const run = await analysisRuns.getByExperiment(experimentId);
    const insights = await analysisCache.listChartInsights(run.id);
    const charts = insights.map(({ chartType }) => chartType);
    await experimentDocuments.finishGenerating(experimentId, 'executive_summary', token, {
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
async function failSummary(
  database: Database,
  { experimentId, token }: Generating,
  error: string,
): Promise<void> {
  await database.transact(async ({ experimentDocuments }) => {
    await experimentDocuments.finishGenerating(experimentId, 'executive_summary', token, {
      status: 'failed',
      error,
    });
  });
}

testWithFaults('beginning an executive summary', {
  prepare: (uow) => withInsights(uow, { insights: 2 }),
  run: (database, experiment) => startSummary(database, experiment),
  async checkResult({ experimentDocuments }, experiment) {
    expect(await experimentDocuments.findStatus(experiment, 'executive_summary')).toBe('generating');
  },
});

testWithFaults('finishing an executive summary', {
  prepare: generating,
  run: (database, experiment) => finishSummary(database, experiment, '# Fees'),
  async checkResult({ analysisRuns, analysisCache, experimentDocuments }, { experimentId }) {
    expect(await experimentDocuments.findMarkdown(experimentId, 'executive_summary')).toBe('# Fees');
    const { id } = await analysisRuns.getByExperiment(experimentId);
    expect(await analysisCache.findExecutiveSummary(id)).toMatchObject({ overview: '# Fees' });
  },
});

testWithFaults('failing at an executive summary', {
  prepare: generating,
  run: (database, experiment) => failSummary(database, experiment, 'no answer'),
  async checkResult({ experimentDocuments }, { experimentId }) {
    const document = await experimentDocuments.getByType(experimentId, 'executive_summary');
    expect(document).toMatchObject({ status: 'failed', errorMessage: 'no answer' });
  },
});

describe('an executive summary', () => {
  test('of fewer than two insights is not started', async () => {
    await using db = await TestDatabase.create();
    const experiment = await db.transact(async (uow) => withInsights(uow, { insights: 1 }));

    await expect(startSummary(db, experiment)).rejects.toThrow('too little');

    const found = db.read(({ experimentDocuments }) => experimentDocuments.listSummaries(experiment));
    expect(await found).toEqual([]);
  });

  test('can be started again after a failure', async () => {
    await using db = await TestDatabase.create();
    const experiment = await db.transact(async (uow) => withInsights(uow, { insights: 2 }));
    const { token = '' } = (await startSummary(db, experiment)) ?? {};
    expect(await startSummary(db, experiment)).toBeNull();

    await failSummary(db, { experimentId: experiment, token }, 'no answer');

    expect(await startSummary(db, experiment)).not.toBeNull();
  });

  test('that another worker took over is not overwritten by the first, and neither are its charts', async () => {
    await using db = await TestDatabase.create();
    const first = await db.transact(generating);
    const { experimentId } = first;
    const second = await db.transact(({ experimentDocuments }) =>
      experimentDocuments.startGenerating(experimentId, 'executive_summary', {
        model,
        abandonedBefore: new Date(Date.now() + 60_000),
      }),
    );

    await finishSummary(db, { experimentId, token: second?.token ?? '' }, '# Second');
    await expect(finishSummary(db, first, '# First')).rejects.toBeInstanceOf(ContentionError);

    await db.read(async ({ analysisRuns, analysisCache, experimentDocuments }) => {
      const { id } = await analysisRuns.getByExperiment(experimentId);
      expect(await experimentDocuments.findMarkdown(experimentId, 'executive_summary')).toBe('# Second');
      expect(await analysisCache.findExecutiveSummary(id)).toMatchObject({ overview: '# Second' });
    });
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

/** One whose summary is being made. */
async function generating(uow: UnitOfWork): Promise<Generating> {
  const experimentId = withInsights(uow, { insights: 2 });
  const generation = await uow.experimentDocuments.startGenerating(experimentId, 'executive_summary', {
    model,
  });
  return { experimentId, token: generation?.token ?? '' };
}
