import { readModel, type ShownBy } from '../read-model/read-model.ts';

export const simulatedOutcomes = readModel({
  from: 'synth_outcomes',
  select: {
    id: 'id',
    synthId: 'synth_id',
    didNotTryRate: 'did_not_try_rate',
    failedRate: 'failed_rate',
    successRate: 'success_rate',
    synthAttributes: 'synth_attributes',
  },
  sorts: { synthId: 'synth_id' },
  direction: 'asc',
  // A simulation has one outcome at most of a synth.
  tieBreaker: 'synth_id',
  filters: (by) => ({ analysis: by.parent('analysis_id') }),
});

/**
 * The outcome of one synth in a legacy simulation, as stored.
 *
 * @deprecated Kept for its stored data.
 */
export type SimulatedOutcome = ShownBy<typeof simulatedOutcomes>;

/** Returns the key of the analysis run that holds the outcomes of a legacy simulation: the same key with another prefix. */
export function analysisOf(simulationId: string): string {
  return simulationId.replace(/^sim_/, 'ana_');
}
