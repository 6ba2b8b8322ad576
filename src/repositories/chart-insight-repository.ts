import type { EntityManager } from '@mikro-orm/postgresql';
import { ChartInsightPayload } from '../entities/chart-data.ts';
import { ChartInsight } from '../entities/chart-insight.ts';
import type { JsonObject } from '../entities/shapes.ts';
import { InvalidJsonError } from '../errors.ts';
import { checkShape } from '../json/check-shape.ts';
import { documentText } from '../json/document-text.ts';
import { forget } from './forget.ts';
import { mintKey } from './mint-key.ts';
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

/** The insight on one chart; or, if the stored document has the wrong shape, what is wrong with it. */
export type StoredInsight = {
  readonly id: string;
  readonly insightType: string;
  /** The stored document, in any shape. */
  readonly responseJson: JsonObject;
  readonly createdAt: Date;
  /** Null until it was replaced. */
  readonly updatedAt: Date | null;
} & (
  | { readonly insight: ChartInsightPayload; readonly invalid: null }
  | { readonly insight: null; readonly invalid: InvalidJsonError }
);

const payloadColumn = 'chart_insights.response_json';

// The summary of all charts, in a row beside theirs.
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
    simulation: by.owner('simulation_id'),
    kind: by.choice({ charts: (eb) => eb('insight_type', '<>', executiveSummary) }),
  }),
  map: (row): StoredInsight => {
    const { data, error } = ChartInsightPayload.safeParse(row.responseJson);
    if (error) return { ...row, insight: null, invalid: new InvalidJsonError(payloadColumn, error.issues) };
    return { ...row, insight: data, invalid: null };
  },
});

/** Insights of a language model on charts: one insight of each type at most for a simulation or analysis. */
export class ChartInsightRepository extends Repository<ChartInsight> {
  constructor(em: EntityManager) {
    super(em, ChartInsight);
  }

  /** The insight of this type, to be modified; null if none exists. */
  findByType(simulationId: string, insightType: string): Promise<ChartInsight | null> {
    return this.one({ simulationId, insightType });
  }

  /**
   * The insight of this type, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async getByType(simulationId: string, insightType: string): Promise<ChartInsight> {
    return this.must(await this.findByType(simulationId, insightType), { simulationId, insightType });
  }

  /**
   * Returns the insights on the charts of a simulation, oldest first; without the executive summary. One with an invalid document is
   * neither left out nor fatal to the rest: it comes with what is wrong with it.
   */
  listBySimulation(simulationId: string): Promise<StoredInsight[]> {
    return this.ask(storedInsights).list({ simulation: simulationId });
  }

  /**
   * Stores the insight on a chart, replacing an existing one, by one statement. Gives its key, which an insight keeps.
   *
   * @throws InvalidJsonError
   */
  async saveInsight(
    simulationId: string,
    insightType: string,
    insight: ChartInsightPayload,
  ): Promise<string> {
    checkShape(payloadColumn, ChartInsightPayload, insight);
    return this.#save(simulationId, insightType, insight);
  }

  /**
   * Stores the summary of all charts of a simulation, in place of the one before, by one statement. Gives its key.
   */
  saveExecutiveSummary(simulationId: string, summary: string): Promise<string> {
    return this.#save(simulationId, executiveSummary, {
      executive_summary: summary,
      generated_at: new Date().toISOString(),
    });
  }

  /** The summary of all charts of a simulation; null if none exists. */
  async findExecutiveSummary(simulationId: string): Promise<string | null> {
    const db = await this.rows();
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

  /**
   * Removes every insight of a simulation, the executive summary included, by one statement. Gives how many.
   */
  async deleteBySimulation(simulationId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('chart_insights')
      .where('simulation_id', '=', simulationId)
      .returning('id')
      .execute();
    return forget(this.em, ChartInsight, removed);
  }

  async #save(simulationId: string, insightType: string, responseJson: JsonObject): Promise<string> {
    documentText(payloadColumn, responseJson);
    const db = await this.writing();
    const { id } = await db
      .insertInto('chart_insights')
      .values(({ fn }) => ({
        id: mintKey(this.em, ChartInsight),
        simulation_id: simulationId,
        insight_type: insightType,
        response_json: responseJson,
        created_at: fn<string>('clock_timestamp'),
        row_version: 1,
      }))
      .onConflict((conflict) =>
        conflict.columns(['simulation_id', 'insight_type']).doUpdateSet((eb) => ({
          response_json: eb.ref('excluded.response_json'),
          // Replaced, even if it is equal.
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
