// Compiled by `tsc`, never run: the key tells what a cached payload is.
import type { UnitOfWork } from '../../src/index.ts';

declare const { analysisCache }: UnitOfWork;

// @ts-expect-error -- no distribution
await analysisCache.saveEntry('ana_1', 'distribution', { total_synths: 1 });
// @ts-expect-error -- nor is this
await analysisCache.saveEntries('ana_1', { distribution: { total_synths: 1 }, other: {} });
// @ts-expect-error -- no clustering
await analysisCache.saveEntry('ana_1', 'clustering_k3', { simulation_id: 'ana_1' });
// @ts-expect-error -- no insight
await analysisCache.saveEntry('ana_1', 'insight_scatter', { summary: 's' });
// @ts-expect-error -- not even an object
await analysisCache.saveEntry('ana_1', 'anything', [1]);

// What a right call takes and gives.
await analysisCache.saveEntries('ana_1', {
  shap_summary: {
    simulation_id: 'ana_1',
    feature_importances: {},
    top_features: [],
    total_synths: 0,
    model_score: 1,
  },
  anything: { of: 'ours' },
});
const entry = await analysisCache.findEntry('ana_1', 'distribution');
const total: number | undefined = entry?.data.total_synths;
// @ts-expect-error -- a distribution has performers, which are texts
const performers: number[] | undefined = entry?.data.best_performers;
void [total, performers];
