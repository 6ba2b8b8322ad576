import type { State } from '../ledger/state.ts';
import type { Step } from './context/step.ts';

/**
 * Returns the steps outside transactions that were interrupted and that `requested` does not include. They run first, in the direction
 * in which they were interrupted.
 */
export async function unfinishedSteps(
  { migrations, progress }: State,
  requested: readonly Step[],
): Promise<Step[]> {
  const steps = new Map<string, Step>();
  for (const { name, direction } of progress) {
    const migration = await migrations.find((one) => one.name === name)?.load();
    if (migration) steps.set(`${direction} ${name}`, { migration, direction, statements: null });
  }
  for (const { migration, direction } of requested) steps.delete(`${direction} ${migration.name}`);
  return [...steps.values()];
}
