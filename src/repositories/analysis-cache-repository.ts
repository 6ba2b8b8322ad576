import type { EntityManager } from '@mikro-orm/postgresql';
import { AnalysisCache } from '../entities/analysis-cache.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { ChartInsightPayload, ExecutiveSummaryPayload, JsonObject } from '../entities/shapes.ts';
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

export type * from './cached-payload.ts';

/** A computed chart, or text, of an analysis run. */
export interface CacheEntry<Payload = JsonObject> {
  readonly cacheKey: string;
  readonly data: Payload;
  /** The parameters of the computation; null when they were not recorded. */
  readonly params: JsonObject | null;
  readonly computedAt: Date;
}

/** The insight on one chart; `invalid` instead, where the stored document has the wrong shape. */
export type CachedInsight = { readonly chartType: string } & (
  | { readonly insight: ChartInsightPayload; readonly invalid: null }
  | { readonly insight: null; readonly invalid: InvalidJsonError }
);

const entries = readModel({
  from: 'analysis_cache',
  select: { cacheKey: 'cache_key', data: 'data', params: 'params', computedAt: 'computed_at' },
  sorts: { cacheKey: 'cache_key' },
  direction: 'asc',
  tieBreaker: 'cache_key',
  filters: (by) => ({
    analysis: by.parent('analysis_id'),
    cacheKey: 'cache_key',
    prefix: by.where((eb, prefix: string) =>
      eb.fn<boolean>('starts_with', [eb.ref('cache_key'), eb.val(prefix)]),
    ),
  }),
});

/**
 * Cached results of analysis runs, each under a key. The key determines the shape of the document: the name of a chart, `clustering_k<n>`,
 * `insight_<chart type>`, `executive_summary`. Any other key accepts any object.
 */
export class AnalysisCacheRepository extends Repository<AnalysisCache> {
  constructor(em: EntityManager) {
    super(em, AnalysisCache);
  }

  /**
   * Returns the entry under a key; null if none exists.
   *
   * @throws InvalidJsonError when the stored document does not have the shape of its key. Compute the entry again.
   */
  async findEntry<Key extends string>(
    analysisId: string,
    cacheKey: Key,
  ): Promise<CacheEntry<CachedPayload<Key>> | null> {
    const found = await this.read(entries).first({ analysis: analysisId, cacheKey });
    if (!found) return null;
    const { data, ...entry } = found;
    const payload: unknown = data;
    checkPayload(cacheKey, payload);
    return { ...entry, data: payload };
  }

  /** Returns every entry of a run, ordered by key. Documents are returned as stored; their shapes are not checked. */
  listEntries(analysisId: string): Promise<CacheEntry[]> {
    return this.read(entries).list({ analysis: analysisId });
  }

  /**
   * Inserts or replaces an entry, by one statement. Absent `params` stay as they are; null clears them.
   *
   * @throws InvalidJsonError when `data` does not have the shape of the key.
   */
  async saveEntry<Key extends string>(
    analysisId: string,
    cacheKey: Key,
    data: CachedPayload<Key>,
    params?: JsonObject | null,
  ): Promise<void> {
    if (params != null) checkDocument('analysis_cache.params', shapes().JsonObject, params);
    await this.#save(analysisId, [[cacheKey, data]], params);
  }

  /**
   * Inserts or replaces several entries, by one statement, and returns their number. The `params` of existing entries stay.
   *
   * @throws InvalidJsonError when a document does not have the shape of its key; no entry is saved then.
   */
  async saveEntries<Entries extends Record<string, JsonObject>>(
    analysisId: string,
    data: Entries & { readonly [Key in keyof Entries]: CachedPayload<Key & string> },
  ): Promise<number> {
    // Always in the same order, so that concurrent calls for the same entries wait for each other and never deadlock.
    const sorted = Object.entries<JsonObject>(data).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (sorted.length > 0) await this.#save(analysisId, sorted, undefined);
    return sorted.length;
  }

  /** Deletes the entry under a key, by one statement. Returns false if none exists. */
  async deleteEntry(analysisId: string, cacheKey: string): Promise<boolean> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('analysis_cache')
      .where('analysis_id', '=', analysisId)
      .where('cache_key', '=', cacheKey)
      .returning('cache_key')
      .execute();
    return this.#detachDeleted(analysisId, deleted) > 0;
  }

  /** Deletes every entry of a run, by one statement, and returns their number. */
  async deleteEntries(analysisId: string): Promise<number> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('analysis_cache')
      .where('analysis_id', '=', analysisId)
      .returning('cache_key')
      .execute();
    return this.#detachDeleted(analysisId, deleted);
  }

  /**
   * Inserts or replaces the insight on a chart, under the analysis and the chart that it names.
   *
   * @throws InvalidJsonError when the insight has the wrong shape.
   */
  saveChartInsight(insight: ChartInsightPayload): Promise<void> {
    return this.saveEntry(insight.analysis_id, `${insightPrefix}${insight.chart_type}`, insight);
  }

  /**
   * Returns the insight on a chart; null if none exists.
   *
   * @throws InvalidJsonError when the stored document has the wrong shape.
   */
  async findChartInsight(analysisId: string, chartType: string): Promise<ChartInsightPayload | null> {
    const entry = await this.findEntry(analysisId, `${insightPrefix}${chartType}`);
    return entry?.data ?? null;
  }

  /**
   * Returns the insight on each chart, ordered by chart type. A document of the wrong shape does not fail the call: its entry has the error
   * as `invalid`, and null as `insight`.
   */
  async listChartInsights(analysisId: string): Promise<CachedInsight[]> {
    const found = await this.read(entries).list({ analysis: analysisId, prefix: insightPrefix });
    return found.map(toInsight);
  }

  /**
   * Inserts or replaces the summary of all charts of the analysis that it names.
   *
   * @throws InvalidJsonError when the summary has the wrong shape.
   */
  saveExecutiveSummary(summary: ExecutiveSummaryPayload): Promise<void> {
    return this.saveEntry(summary.analysis_id, 'executive_summary', summary);
  }

  /**
   * Returns the summary of all charts; null if none exists.
   *
   * @throws InvalidJsonError when the stored document has the wrong shape.
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
    const db = await this.queryForWrite();
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

  #detachDeleted(analysisId: string, deleted: readonly { cache_key: string }[]): number {
    const loaded = this.em.getUnitOfWork();
    for (const { cache_key: key } of deleted) {
      const entry = loaded.getById(AnalysisCache, [analysisId, key]);
      if (entry) loaded.unsetIdentity(entry);
    }
    return deleted.length;
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
