import { ReferenceKind, type EntityManager, type EntityProperty } from '@mikro-orm/postgresql';
import { documents } from '../entities/documents.ts';

// What the columns with a document that may be NULL hold where they hold one.
const filled: Record<string, unknown> = {
  'AnalysisCache.params': documents.JsonObject,
  'AnalysisRun.aggregatedOutcomes': documents.OutcomeRates,
  'Experiment.scorecardData': documents.Scorecard,
  'ExperimentDocument.metadata': documents.JsonObject,
  'ScenarioNode.simulationResults': documents.SimulationResults,
  'SimulationRun.aggregatedOutcomes': documents.SimulationOutcomes,
  'Synth.data': { ...documents.SynthData, simulation_attributes: documents.SimulationAttributes },
  'SynthOutcome.synthAttributes': documents.SimulationAttributes,
  'Transcript.messages': documents.TranscriptMessages,
};

/** Gives each row that is staged a value in every column that may be NULL; to what it belongs stays as it is. */
export function fillOptionalColumns(em: EntityManager): void {
  for (const row of em.getUnitOfWork().getPersistStack()) {
    for (const [prop, entity] of optionalProps(em, row)) {
      if (prop.kind === ReferenceKind.SCALAR)
        Reflect.set(row, prop.name, valueFor(`${entity}.${prop.name}`, prop));
    }
  }
}

/**
 * Leaves NULL in each row that is staged whatever may be NULL. To what it belongs is taken from the first row of each table only, so
 * that the others can still be found by it.
 */
export function emptyOptionalColumns(em: EntityManager): void {
  const met = new Set<string>();
  for (const row of em.getUnitOfWork().getPersistStack()) {
    for (const [prop, entity] of optionalProps(em, row)) {
      if (prop.kind === ReferenceKind.SCALAR || !met.has(entity)) Reflect.set(row, prop.name, null);
    }
    met.add(row.constructor.name);
  }
}

function optionalProps(em: EntityManager, row: object): [EntityProperty, string][] {
  const { className, props } = em.getMetadata().get(row.constructor);
  return props.filter(({ nullable }) => nullable).map((prop) => [prop, className]);
}

function valueFor(name: string, { runtimeType }: EntityProperty): unknown {
  if (name in filled) return filled[name];
  if (runtimeType === 'string') return 'text';
  if (runtimeType === 'number') return 0.5;
  if (runtimeType === 'instant') return new Date();
  throw new Error(`say in ${import.meta.filename} what ${name} holds`);
}
