import { isAlreadyThere } from '../leftovers/find-leftovers.ts';
import type { Conflict } from '../leftovers/find-conflict.ts';
import type { Run } from './run.ts';
import type { Step } from './step.ts';

/** Returns what made a step fail at a statement, from 1, because an object exists already; null for other failures. */
export async function findStepConflict(
  run: Run,
  step: Step,
  at: number,
  error: unknown,
): Promise<Conflict | null> {
  return step.direction === 'up' && isAlreadyThere(error) ? run.findConflict(step.migration, at) : null;
}
