import { z } from 'zod';

/** A rate or a score: 0 to 1. */
export const rate = z.number().min(0).max(1);

/** How a simulation ended: three rates that sum to one, give or take a hundredth. */
export const OutcomeRates = z
  .looseObject({ did_not_try_rate: rate, failed_rate: rate, success_rate: rate })
  .refine((rates) => sumsToOne(rates.did_not_try_rate, rates.failed_rate, rates.success_rate), {
    error: 'the three rates must sum to 1 ± 0.01',
  });
export type OutcomeRates = z.infer<typeof OutcomeRates>;

/** Whether the rates sum to one, give or take a hundredth. */
export function sumsToOne(...rates: number[]): boolean {
  const sum = rates.reduce((total, one) => total + one, 0);
  // A sum of binary fractions may miss the bound that its decimals meet.
  return Math.abs(sum - 1) <= 0.01 + Number.EPSILON * 4;
}

/** A JSON object of any keys. */
export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof JsonObject>;
