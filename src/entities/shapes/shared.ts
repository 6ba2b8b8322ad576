import { z } from 'zod';

/** A rate or a score: 0 to 1. */
export const rate = z.number().min(0).max(1);

/** The outcome of a simulation: three rates that sum to 1 ± 0.01. */
export const OutcomeRates = z
  .looseObject({ did_not_try_rate: rate, failed_rate: rate, success_rate: rate })
  .refine((rates) => sumsToOne(rates.did_not_try_rate, rates.failed_rate, rates.success_rate), {
    error: 'the three rates must sum to 1 ± 0.01',
  });
export type OutcomeRates = z.infer<typeof OutcomeRates>;

/** Returns whether the rates sum to 1 ± 0.01. */
export function sumsToOne(...rates: number[]): boolean {
  const sum = rates.reduce((total, value) => total + value, 0);
  // Rounding may put a sum of binary fractions slightly outside the bound.
  return Math.abs(sum - 1) <= 0.01 + Number.EPSILON * 4;
}

/** A JSON object with any keys. */
export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof JsonObject>;
