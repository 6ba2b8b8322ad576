import { isAlreadyThere } from '../leftovers/find-leftovers.ts';
import type { Conflict } from '../leftovers/find-conflict.ts';
import type { FailedStep, Run } from './context/run.ts';
import type { Step } from './context/step.ts';

/** Returns what made a step fail because an object exists already; null for other failures. */
export async function findStepConflict(
  run: Run,
  { migration, direction }: Step,
  failed: Omit<FailedStep, 'migration'>,
  error: unknown,
): Promise<Conflict | null> {
  return direction === 'up' && isAlreadyThere(error) ? run.findConflict({ migration, ...failed }) : null;
}
