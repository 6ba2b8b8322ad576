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
  tie: 'synth_id',
  filters: (by) => ({ analysis: by.owner('analysis_id') }),
});

/**
 * How one synth fared in a legacy simulation, as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export type SimulatedOutcome = ShownBy<typeof simulatedOutcomes>;

/** The analysis run that a legacy simulation's outcomes were stored under, since outcomes belong to one: its key but for the prefix. */
export function analysisOf(simulationId: string): string {
  return simulationId.replace(/^sim_/, 'ana_');
}
