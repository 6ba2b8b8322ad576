import type { NewOutcome } from '../../src/repositories/index.ts';

/** What a simulation knows of a synth. */
export const attributes = {
  observables: {
    digital_literacy: 0.1,
    similar_tool_experience: 0.2,
    motor_ability: 0.3,
    time_availability: 0.4,
    domain_expertise: 0.5,
  },
  latent_traits: {
    capability_mean: 0.6,
    trust_mean: 0.7,
    friction_tolerance_mean: 0.8,
    exploration_prob: 0.9,
  },
};

/** An outcome of a synth, as a simulation found it. */
export function outcome(synthId: string, overrides: Partial<NewOutcome> = {}): NewOutcome {
  return {
    synthId,
    didNotTryRate: 0.25,
    failedRate: 0.25,
    successRate: 0.5,
    synthAttributes: attributes,
    ...overrides,
  };
}

/** For a list in the order of synths, whatever the collation of the database. */
export function bySynth(one: { synthId: string }, other: { synthId: string }): number {
  return one.synthId < other.synthId ? -1 : 1;
}
