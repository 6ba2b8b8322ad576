import type { EntityManager } from '@mikro-orm/postgresql';
import { ChartInsight } from '../entities/chart-insight.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { ChartInsightPayload, JsonObject } from '../entities/shapes.ts';
import { InvalidJsonError } from '../errors.ts';
import { checkShape } from '../json/check-shape.ts';
import { documentText } from '../json/document-text.ts';
import { detachDeleted } from './detach-deleted.ts';
import { generateKey } from './generate-key.ts';
import { readModel } from './read-model/read-model.ts';
import { Repository } from './repository.ts';
import {
  document,
  Key,
  rowMethods,
  Text,
  reads,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** The insight on one chart; `invalid` instead, where the stored document has the wrong shape. */
export type StoredInsight = {
  readonly id: string;
  readonly insightType: string;
  /** The stored document, of any shape. */
  readonly responseJson: JsonObject;
  readonly createdAt: Date;
  /** When it was last replaced; null if it never was. */
  readonly updatedAt: Date | null;
} & (
  | { readonly insight: ChartInsightPayload; readonly invalid: null }
  | { readonly insight: null; readonly invalid: InvalidJsonError }
);

const payloadColumn = 'chart_insights.response_json';

// The type of the row that holds the summary of all charts.
const executiveSummary = 'executive_summary';

const storedInsights = readModel({
  from: 'chart_insights',
  select: {
    id: 'id',
    insightType: 'insight_type',
    responseJson: 'response_json',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
  },
  sorts: { createdAt: 'created_at' },
  direction: 'asc',
  filters: (by) => ({
    simulation: by.parent('simulation_id'),
    kind: by.choice({ charts: (eb) => eb('insight_type', '<>', executiveSummary) }),
  }),
  map: (row): StoredInsight => {
    const { data, error } = shapes().ChartInsightPayload.safeParse(row.responseJson);
    if (error) return { ...row, insight: null, invalid: new InvalidJsonError(payloadColumn, error.issues) };
    return { ...row, insight: data, invalid: null };
  },
});

/** Insights of a language model on charts: one of each type at most for a simulation or analysis. */
export class ChartInsightRepository extends Repository<ChartInsight> {
  constructor(em: EntityManager) {
    super(em, ChartInsight);
  }

  /** Returns the insight of this type, to be modified; null if none exists. */
  findByType(simulationId: string, insightType: string): Promise<ChartInsight | null> {
    return this.findOne({ simulationId, insightType });
  }

  /**
   * Returns the insight of this type, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async getByType(simulationId: string, insightType: string): Promise<ChartInsight> {
    return this.requireFound(await this.findByType(simulationId, insightType), { simulationId, insightType });
  }

  /**
   * Returns the insights on the charts of a simulation, oldest first, without the executive summary. A document of the wrong shape does not
   * fail the call: its insight has the error as `invalid`, and null as `insight`.
   */
  listBySimulation(simulationId: string): Promise<StoredInsight[]> {
    return this.read(storedInsights).list({ simulation: simulationId });
  }

  /**
   * Inserts or replaces the insight on a chart, by one statement, and returns its key. A replaced insight keeps its key.
   *
   * @throws InvalidJsonError when the insight has the wrong shape.
   */
  async saveInsight(
    simulationId: string,
    insightType: string,
    insight: ChartInsightPayload,
  ): Promise<string> {
    checkShape(payloadColumn, shapes().ChartInsightPayload, insight);
    return this.#save(simulationId, insightType, insight);
  }

  /** Inserts or replaces the summary of all charts of a simulation, by one statement, and returns its key. */
  saveExecutiveSummary(simulationId: string, summary: string): Promise<string> {
    return this.#save(simulationId, executiveSummary, {
      executive_summary: summary,
      generated_at: new Date().toISOString(),
    });
  }

  /** Returns the summary of all charts of a simulation; null if none exists. */
  async findExecutiveSummary(simulationId: string): Promise<string | null> {
    const db = await this.queryForRead();
    const found = await db
      .selectFrom('chart_insights')
      .select('response_json')
      .where('simulation_id', '=', simulationId)
      .where('insight_type', '=', executiveSummary)
      .executeTakeFirst();
    const summary = found?.response_json[executiveSummary];
    return typeof summary === 'string' ? summary : null;
  }

  /**
   * Stages the removal of one insight.
   *
   * @throws NotFoundError if it does not exist.
   */
  async removeByType(simulationId: string, insightType: string): Promise<void> {
    this.remove(await this.getByType(simulationId, insightType));
  }

  /** Deletes every insight of a simulation, the executive summary included, by one statement, and returns their number. */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('chart_insights')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return detachDeleted(this.em, ChartInsight, deleted);
  }

  async #save(simulationId: string, insightType: string, responseJson: JsonObject): Promise<string> {
    documentText(payloadColumn, responseJson);
    const db = await this.queryForWrite();
    const { id } = await db
      .insertInto('chart_insights')
      .values(({ fn }) => ({
        id: generateKey(this.em, ChartInsight),
        simulation_id: simulationId,
        insight_type: insightType,
        response_json: responseJson,
        created_at: fn<string>('clock_timestamp'),
        row_version: 1,
      }))
      .onConflict((conflict) =>
        conflict.columns(['simulation_id', 'insight_type']).doUpdateSet((eb) => ({
          response_json: eb.ref('excluded.response_json'),
          // Set although the trigger exists: the trigger ignores a replacement by an equal insight.
          updated_at: eb.ref('excluded.created_at'),
        })),
      )
      .returning('id')
      .executeTakeFirstOrThrow();
    await this.reload(id);
    return id;
  }

  static readonly signatures = {
    ...rowMethods(ChartInsight),
    findByType: reads({ simulationId: Key }, { insightType: Text }),
    getByType: reads({ simulationId: Key }, { insightType: Text }),
    listBySimulation: reads({ simulationId: Key }),
    saveInsight: writes(
      { simulationId: Key },
      { insightType: Text },
      { insight: document<ChartInsightPayload>() },
    ),
    saveExecutiveSummary: writes({ simulationId: Key }, { summary: Text }),
    findExecutiveSummary: reads({ simulationId: Key }),
    removeByType: stages({ simulationId: Key }, { insightType: Text }),
    deleteBySimulation: writes({ simulationId: Key }),
  } satisfies Signatures<ChartInsightRepository>;
}
