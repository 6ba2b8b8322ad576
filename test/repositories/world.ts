import type { EntityClass, EntityManager, EntityMetadata } from '@mikro-orm/postgresql';
import type { UnitOfWork } from '../../src/database/units/unit-of-work.ts';
import {
  aChartInsight,
  aFeatureScorecard,
  aRegionAnalysis,
  aResearchExecution,
  aScenarioNode,
  aSensitivityResult,
  aSimulationRun,
  aSynth,
  aSynthGroup,
  aSynthOutcome,
  aTranscript,
  anAnalysisCache,
  anAnalysisRun,
  anExperiment,
  anExperimentDocument,
  anExploration,
  anInterviewGuide,
} from '../../src/testing/index.ts';
import { factories } from '../concurrency/histories/factories.ts';
import { tables } from '../schema/tables.ts';
import { valuesOf } from './row-values.ts';

/** Keys of rows that have `size` rows of everything that can belong to them. */
export interface World {
  /** The rows of an entity, those that others share first. */
  readonly rowsOf: (entity: EntityClass<object>) => readonly object[];
  readonly size: number;
  /** The first row of the entity with this name; it need not have a capital. */
  readonly named: (name: string) => object | undefined;
  /** How many rows a list is asked for. */
  readonly limit: number;
  readonly experiment: string;
  readonly run: string;
  readonly group: string;
  readonly synths: readonly string[];
  readonly outcome: string;
  readonly execution: string;
  readonly executions: readonly string[];
  readonly exploration: string;
  /** A node `size` levels deep. */
  readonly leaf: string;
  readonly document: string;
  readonly insight: string;
  readonly result: string;
  readonly region: string;
  readonly transcript: string;
  readonly scorecard: string;
  readonly simulation: string;
  /**
   * What would be in the way of others: an experiment, deleted so that no list shows it, whose completed run has twice `size`
   * outcomes, a summary that is being generated, and an exploration with a winner and a root of `size` children.
   */
  readonly aside: Readonly<Record<'experiment' | 'run' | 'exploration' | 'root', string>>;
}

/** When the generation of the summary of the experiment aside began. */
export const generationBegan = new Date('2026-01-01T00:00:00Z');

/** Stages `size` rows of each kind. */
export function aWorld({ em }: UnitOfWork, size: number): World {
  const each = <T>(make: (index: number) => T): T[] =>
    Array.from({ length: size }, (_, index) => make(index));
  const completed = { status: 'completed', completedAt: new Date() } as const;

  const experiment = first(each(() => anExperiment(em)));
  anInterviewGuide(em, { experiment });
  const run = anAnalysisRun(em, { experiment, ...completed });
  const group = first(each(() => aSynthGroup(em)));
  const synths = each(() => aSynth(em, { synthGroup: group, avatarPath: 'maria.png' }));
  const outcomes = synths.map(({ id }) => aSynthOutcome(em, { analysis: run, synthId: id }));
  for (const chart of each(String)) {
    anAnalysisCache(em, { analysis: run, cacheKey: `insight_${chart}`, data: insightOn(run.id, chart) });
  }
  const executions = each(() =>
    aResearchExecution(em, {
      experiment,
      topicName: `exp_${experiment.id}_auto`,
      additionalContext: 'Winter.',
    }),
  );
  const execution = first(executions);
  const transcripts = synths.map(({ id }) => aTranscript(em, { execution, synthId: id }));
  for (const other of executions.slice(1)) aTranscript(em, { execution: other });
  const explorations = each(() => anExploration(em, { experiment, baselineAnalysis: run }));
  const exploration = first(explorations);
  let leaf = aScenarioNode(em, { exploration, simulationResults: results });
  for (let depth = 1; depth < size; depth++)
    leaf = aScenarioNode(em, { parent: leaf, simulationResults: results });
  const document = anExperimentDocument(em, { experiment });
  anExperimentDocument(em, { experiment, documentType: 'prfaq' });
  const insights = each((index) =>
    aChartInsight(em, {
      simulationId: run.id,
      insightType: `chart ${index}`,
      // Of before insights had a shape.
      ...(index === 1 && { responseJson: { summary: 's' } }),
    }),
  );
  aChartInsight(em, {
    simulationId: run.id,
    insightType: 'executive_summary',
    responseJson: { executive_summary: 's' },
  });
  const sensitivity = first(each(() => aSensitivityResult(em, { simulationId: run.id })));
  const region = first(each(() => aRegionAnalysis(em, { simulationId: run.id })));
  const scorecards = each(() => aFeatureScorecard(em, { experiment }));
  // Not the first, which may lose its experiment, and they would with it.
  const scorecard = first(scorecards.toReversed());
  const simulation = aSimulationRun(em, { scorecard, id: run.id.replace('ana_', 'sim_') });
  for (let more = 1; more < size; more++) aSimulationRun(em, { scorecard });

  const aside = anExperiment(em, { status: 'deleted' });
  const asideRun = anAnalysisRun(em, { experiment: aside, ...completed });
  for (const { id } of [...synths, ...each(() => aSynth(em))]) {
    aSynthOutcome(em, { analysis: asideRun, synthId: id });
  }
  anAnalysisCache(em, { analysis: asideRun, cacheKey: 'executive_summary', data: summaryOf(asideRun.id) });
  anExperimentDocument(em, { experiment: aside, status: 'generating', generatedAt: generationBegan });
  const asideExploration = anExploration(em, { experiment: aside, baselineAnalysis: asideRun });
  const root = aScenarioNode(em, { exploration: asideExploration });
  each((index) => aScenarioNode(em, { parent: root, nodeStatus: index === 0 ? 'winner' : 'active' }));

  stageOthers(em, size);
  const rows = rowsByEntity(em);
  const named = new Map<string, object>();
  for (const row of [...rows.values()].flat()) {
    valuesOf(row);
    const name = row.constructor.name.toLowerCase();
    if (!named.has(name)) named.set(name, row);
  }

  return {
    rowsOf: (entity) => rows.get(entity) ?? [],
    named: (name) => named.get(name.toLowerCase()),
    size,
    limit: 200,
    experiment: experiment.id,
    run: run.id,
    group: group.id,
    synths: synths.map(({ id }) => id),
    outcome: first(outcomes).id,
    execution: execution.id,
    executions: executions.map(({ id }) => id),
    exploration: exploration.id,
    leaf: leaf.id,
    document: document.id,
    insight: first(insights).id,
    result: sensitivity.id,
    region: region.id,
    transcript: first(transcripts).id,
    scorecard: first(scorecards).id,
    simulation: simulation.id,
    aside: {
      experiment: aside.id,
      run: asideRun.id,
      exploration: asideExploration.id,
      root: root.id,
    },
  };
}

/**
 * Stages rows of each entity that has none yet, parents first. They share a parent where they may, and have one each of those that are
 * there otherwise, such as the second parent of a join table.
 */
function stageOthers(em: EntityManager, size: number): void {
  for (const meta of tables) {
    const [, factory] = factories.find(([name]) => name === meta.className) ?? [];
    const rows = rowsByEntity(em);
    if (!factory || rows.has(meta.class)) continue;
    const shared = new Set(sharedRelations(meta));
    for (let made = 0; made < size; made++) {
      const parents = meta.relations.flatMap((relation) => {
        const parent = rows.get(relation.targetMeta?.class)?.[shared.has(relation) ? 0 : made];
        return parent ? [[relation.name, parent] as const] : [];
      });
      factory(em, Object.fromEntries(parents));
    }
  }
}

/** The relations to a parent that may have several such rows; of the key of a join table the first alone. */
function sharedRelations(meta: EntityMetadata): EntityMetadata['relations'] {
  const keys = meta.getPrimaryProps();
  return meta.relations.filter(
    (relation) =>
      !relation.unique &&
      !meta.uniques.some(({ properties }) => [properties].flat().join() === relation.name) &&
      (!relation.primary || (relation === keys[0] && keys.length > 1)),
  );
}

function rowsByEntity(em: EntityManager): Map<unknown, object[]> {
  return Map.groupBy(em.getUnitOfWork().getPersistStack(), (row): unknown => row.constructor);
}

function first<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a world has one row of each kind at least');
  return row;
}

const results = { success_rate: 0.5, fail_rate: 0.3, did_not_try_rate: 0.2 };

function insightOn(analysis: string, chart: string) {
  const generation_timestamp = '2026-01-01T00:00:00Z';
  return {
    analysis_id: analysis,
    chart_type: chart,
    summary: 's',
    generation_timestamp,
    status: 'completed',
  };
}

function summaryOf(analysis: string) {
  return {
    analysis_id: analysis,
    overview: 'o',
    explainability: 'e',
    segmentation: 's',
    edge_cases: 'e',
    recommendations: ['r', 's'],
    included_chart_types: ['heatmap'],
    generation_timestamp: '2026-01-01T00:00:00Z',
    status: 'completed',
  };
}
