import type { CursorPage, Page } from '../../src/index.ts';

/** What is observed of a synth. */
export const observables = {
  digital_literacy: 0.6,
  similar_tool_experience: 0.5,
  motor_ability: 0.9,
  time_availability: 0.4,
  domain_expertise: 0.3,
};

/** What is taken to follow from it. */
export const traits = {
  capability_mean: 0.5,
  trust_mean: 0.5,
  friction_tolerance_mean: 0.5,
  exploration_prob: 0.5,
};

/** Keys and seconds, in an order that is neither that of the keys nor that of the times. */
export const shuffled = [
  ['b', 1],
  ['c', 2],
  ['a', 1],
  ['d', 1],
] as const;

/** The keys of the rows of a page, one after the other. */
export function keys(page: CursorPage<{ id: string }> | Page<{ id: string }>): string {
  return page.data.map(({ id }) => id).join('');
}

/** A second of some day. */
export function at(second: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second));
}
