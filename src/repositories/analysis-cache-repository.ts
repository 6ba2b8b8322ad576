import type { EntityManager } from '@mikro-orm/postgresql';
import { AnalysisCache } from '../entities/analysis-cache.ts';
import type { ChartInsightPayload, ExecutiveSummaryPayload } from '../entities/chart-data.ts';
import { JsonObject } from '../entities/shapes.ts';
import { InvalidJsonError } from '../errors.ts';
import { checkDocument } from '../json/check-shape.ts';
import { documentText } from '../json/document-text.ts';
import { checkPayload, insightPrefix, type CachedPayload } from './cached-payload.ts';
import { readModel } from './read-model/read-model.ts';
import { Repository } from './repository.ts';
import {
  document,
  documentWith,
  Key,
  nullable,
  optional,
  recordOf,
  rowMethods,
  Text,
  reads,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** One computed chart, or text, of an analysis run. */
export interface CacheEntry<Payload = JsonObject> {
  readonly cacheKey: string;
  readonly data: Payload;
  /** What it was computed with; null when that was not recorded. */
  readonly params: JsonObject | null;
  readonly computedAt: Date;
}

/** What was said of one chart; or, where what is stored is out of shape, what is wrong with it. */
export type CachedInsight = { readonly chartType: string } & (
  | { readonly insight: ChartInsightPayload; readonly invalid: null }
  | { readonly insight: null; readonly invalid: InvalidJsonError }
);

const entries = readModel({
  from: 'analysis_cache',
  select: { cacheKey: 'cache_key', data: 'data', params: 'params', computedAt: 'computed_at' },
  sorts: { cacheKey: 'cache_key' },
  direction: 'asc',
  tie: 'cache_key',
  filters: (by) => ({
    analysis: by.owner('analysis_id'),
    cacheKey: 'cache_key',
    prefix: by.where((eb, prefix: string) =>
      eb.fn<boolean>('starts_with', [eb.ref('cache_key'), eb.val(prefix)]),
    ),
  }),
});

/**
 * What was computed for an analysis run, under one key each. The key tells the shape: of a chart by its name, of `clustering_k<n>`,
 * of `insight_<chart type>`, of `executive_summary`; under any other key any object is taken.
 */
export class AnalysisCacheRepository extends Repository<AnalysisCache> {
  constructor(em: EntityManager) {
    super(em, AnalysisCache);
  }

  /**
   * The entry under a key; null when there is none.
   *
   * @throws InvalidJsonError when what is stored does not have the shape that its key stands for. Compute it anew then.
   */
  async findEntry<Key extends string>(
    analysisId: string,
    cacheKey: Key,
  ): Promise<CacheEntry<CachedPayload<Key>> | null> {
    const found = await this.ask(entries).first({ analysis: analysisId, cacheKey });
    if (!found) return null;
    const { data, ...entry } = found;
    const payload: unknown = data;
    checkPayload(cacheKey, payload);
    return { ...entry, data: payload };
  }

  /** Every entry of a run as it is stored, in whatever shape, in the order of the keys. */
  listEntries(analysisId: string): Promise<CacheEntry[]> {
    return this.ask(entries).list({ analysis: analysisId });
  }

  /**
   * Stores what was computed, in place of what was there, by one statement. Absent `params` stay as they are, null clears them.
   *
   * @throws InvalidJsonError when `data` does not have the shape that the key stands for.
   */
  async saveEntry<Key extends string>(
    analysisId: string,
    cacheKey: Key,
    data: CachedPayload<Key>,
    params?: JsonObject | null,
  ): Promise<void> {
    if (params != null) checkDocument('analysis_cache.params', JsonObject, params);
    await this.#save(analysisId, [[cacheKey, data]], params);
  }

  /**
   * Stores what was computed under several keys, in place of what was there, by one statement, and gives how many. All or none; the
   * `params` of entries that are there stay.
   *
   * @throws InvalidJsonError when one does not have the shape that its key stands for.
   */
  async saveEntries<Entries extends Record<string, JsonObject>>(
    analysisId: string,
    data: Entries & { readonly [Key in keyof Entries]: CachedPayload<Key & string> },
  ): Promise<number> {
    // In one order, so that two that save the same entries at once wait for each other and do not lock each other out.
    const sorted = Object.entries<JsonObject>(data).toSorted(([one], [other]) => (one < other ? -1 : 1));
    if (sorted.length > 0) await this.#save(analysisId, sorted, undefined);
    return sorted.length;
  }

  /** Removes the entry under a key by one statement. False when there was none. */
  async deleteEntry(analysisId: string, cacheKey: string): Promise<boolean> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('analysis_cache')
      .where('analysis_id', '=', analysisId)
      .where('cache_key', '=', cacheKey)
      .returning('cache_key')
      .execute();
    return this.#forget(analysisId, removed) > 0;
  }

  /** Removes every entry of a run by one statement, and gives how many. */
  async deleteEntries(analysisId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('analysis_cache')
      .where('analysis_id', '=', analysisId)
      .returning('cache_key')
      .execute();
    return this.#forget(analysisId, removed);
  }

  /**
   * Stores what was said of a chart, under the analysis and the chart that it names.
   *
   * @throws InvalidJsonError
   */
  saveChartInsight(insight: ChartInsightPayload): Promise<void> {
    return this.saveEntry(insight.analysis_id, `${insightPrefix}${insight.chart_type}`, insight);
  }

  /**
   * What was said of a chart; null when nothing was.
   *
   * @throws InvalidJsonError when what is stored is out of shape.
   */
  async findChartInsight(analysisId: string, chartType: string): Promise<ChartInsightPayload | null> {
    const entry = await this.findEntry(analysisId, `${insightPrefix}${chartType}`);
    return entry?.data ?? null;
  }

  /**
   * What was said of each chart, in the order of their types. One that is out of shape is neither left out nor fatal to the rest: it
   * comes with what is wrong with it.
   */
  async listChartInsights(analysisId: string): Promise<CachedInsight[]> {
    const found = await this.ask(entries).list({ analysis: analysisId, prefix: insightPrefix });
    return found.map(toInsight);
  }

  /**
   * Stores the summary of all charts of the analysis that it names.
   *
   * @throws InvalidJsonError
   */
  saveExecutiveSummary(summary: ExecutiveSummaryPayload): Promise<void> {
    return this.saveEntry(summary.analysis_id, 'executive_summary', summary);
  }

  /**
   * The summary of all charts; null when there is none.
   *
   * @throws InvalidJsonError when what is stored is out of shape.
   */
  async findExecutiveSummary(analysisId: string): Promise<ExecutiveSummaryPayload | null> {
    const entry = await this.findEntry(analysisId, 'executive_summary');
    return entry?.data ?? null;
  }

  async #save(
    analysisId: string,
    saved: readonly (readonly [key: string, data: JsonObject])[],
    params: JsonObject | null | undefined,
  ): Promise<void> {
    for (const [key, data] of saved) {
      documentText('analysis_cache.data', data);
      checkPayload(key, data);
    }
    const db = await this.writing();
    await db
      .insertInto('analysis_cache')
      .values(({ fn }) =>
        saved.map(([key, data]) => ({
          analysis_id: analysisId,
          cache_key: key,
          data,
          params: params ?? null,
          computed_at: fn<string>('clock_timestamp'),
          row_version: 1,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['analysis_id', 'cache_key']).doUpdateSet((eb) => ({
          data: eb.ref('excluded.data'),
          computed_at: eb.ref('excluded.computed_at'),
          ...(params === undefined ? {} : { params: eb.ref('excluded.params') }),
        })),
      )
      .execute();
    const loaded = this.em.getUnitOfWork();
    const stale = saved.flatMap(([key]) => (loaded.getById(AnalysisCache, [analysisId, key]) ? [key] : []));
    if (stale.length === 0) return;
    await this.em.find(AnalysisCache, { analysis: analysisId, cacheKey: { $in: stale } }, { refresh: true });
  }

  #forget(analysisId: string, removed: readonly { cache_key: string }[]): number {
    const loaded = this.em.getUnitOfWork();
    for (const { cache_key: key } of removed) {
      const gone = loaded.getById(AnalysisCache, [analysisId, key]);
      if (gone) loaded.unsetIdentity(gone);
    }
    return removed.length;
  }

  static readonly signatures = {
    ...rowMethods(AnalysisCache),
    findEntry: reads({ analysisId: Key }, { cacheKey: Key }),
    listEntries: reads({ analysisId: Key }),
    saveEntry: writes(
      { analysisId: Key },
      { cacheKey: Key },
      { data: document<JsonObject>() },
      { params: optional(nullable(document<JsonObject>())) },
    ),
    saveEntries: writes({ analysisId: Key }, { data: recordOf(document<JsonObject>()) }),
    deleteEntry: writes({ analysisId: Key }, { cacheKey: Key }),
    deleteEntries: writes({ analysisId: Key }),
    saveChartInsight: writes({
      insight: documentWith<ChartInsightPayload>({ analysis_id: Key, chart_type: Text }),
    }),
    findChartInsight: reads({ analysisId: Key }, { chartType: Text }),
    listChartInsights: reads({ analysisId: Key }),
    saveExecutiveSummary: writes({ summary: documentWith<ExecutiveSummaryPayload>({ analysis_id: Key }) }),
    findExecutiveSummary: reads({ analysisId: Key }),
  } satisfies Signatures<AnalysisCacheRepository>;
}

function toInsight({ cacheKey, data }: CacheEntry): CachedInsight {
  const chartType = cacheKey.slice(insightPrefix.length);
  const insight: unknown = data;
  try {
    checkPayload<`${typeof insightPrefix}${string}`>(`${insightPrefix}${chartType}`, insight);
    return { chartType, insight, invalid: null };
  } catch (error) {
    if (error instanceof InvalidJsonError) return { chartType, insight: null, invalid: error };
    throw error;
  }
}
