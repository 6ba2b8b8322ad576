import { shapes } from '../entities/load-shapes.ts';
import type { LatentTraits, Observables, SimulationAttributes, SynthData } from '../entities/shapes.ts';

/**
 * Returns the attributes of a synth for a simulation. The traits are derived from the observables. A synth without observables, which older
 * versions stored, has both derived from its personality, or from an average one.
 */
export function simulationAttributesOf(data: SynthData): SimulationAttributes {
  const { success, data: observed } = shapes().Observables.safeParse(data.observables);
  return success ? attributesOfObservables(observed) : attributesOfPersonality(data);
}

function attributesOfObservables(observed: Observables): SimulationAttributes {
  const observables: Observables = {
    digital_literacy: observed.digital_literacy,
    similar_tool_experience: observed.similar_tool_experience,
    motor_ability: observed.motor_ability,
    time_availability: observed.time_availability,
    domain_expertise: observed.domain_expertise,
  };
  return { observables, latent_traits: traitsOf(observables) };
}

function traitsOf({
  digital_literacy: literacy,
  similar_tool_experience: experience,
  motor_ability: motor,
  time_availability: time,
  domain_expertise: expertise,
}: Observables): LatentTraits {
  return {
    capability_mean: rate(0.4 * literacy + 0.35 * experience + 0.15 * motor + 0.1 * expertise),
    trust_mean: rate(0.6 * experience + 0.4 * literacy),
    friction_tolerance_mean: rate(0.4 * time + 0.35 * literacy + 0.25 * experience),
    // A synth without habits tries more.
    exploration_prob: rate(0.5 * literacy + 0.3 * (1 - experience) + 0.2 * time),
  };
}

function attributesOfPersonality(data: SynthData): SimulationAttributes {
  const {
    abertura = 50,
    conscienciosidade = 50,
    extroversao = 50,
    amabilidade = 50,
    neuroticismo = 50,
  } = data.psicografia?.personalidade_big_five ?? {};
  const [openness, conscientiousness] = [abertura / 100, conscienciosidade / 100];
  const [extraversion, agreeableness] = [extroversao / 100, amabilidade / 100];
  const calm = 1 - neuroticismo / 100;
  return {
    observables: {
      digital_literacy: thousandths(0.7 * openness + 0.3 * conscientiousness),
      similar_tool_experience: 0.5,
      motor_ability: 1,
      time_availability: thousandths(0.7 + 0.3 * calm),
      domain_expertise: 0.5,
    },
    latent_traits: {
      capability_mean: thousandths(0.5 * openness + 0.5 * conscientiousness),
      trust_mean: thousandths(0.6 * agreeableness + 0.4 * calm),
      friction_tolerance_mean: thousandths(0.5 * conscientiousness + 0.5 * calm),
      exploration_prob: thousandths(0.6 * openness + 0.4 * extraversion),
    },
  };
}

// Rounding may put a sum of binary fractions slightly outside 0 to 1.
function rate(value: number): number {
  return Math.max(0, Math.min(1, value));
}

function thousandths(value: number): number {
  return rate(Number(value.toFixed(3)));
}
