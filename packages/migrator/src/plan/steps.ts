import type { Step } from '../run/run.ts';
import { selectDown, selectUp } from './selection.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { statusOf } from '../ledger/status.ts';

/**
 * What applying takes, in order.
 *
 * @throws RefusedError when it can't be done safely.
 */
export async function upSteps(state: State, request: UpRequest): Promise<Step[]> {
  const late = new Set(
    statusOf(state).flatMap(({ name, condition }) => (condition === 'late' ? [name] : [])),
  );
  return (await selectUp(state, request)).map((migration) => ({
    migration,
    direction: 'up',
    note: late.has(migration.name) ? 'out of order' : undefined,
  }));
}

/**
 * What reverting takes, in order.
 *
 * @throws RefusedError when it can't be done safely.
 */
export async function downSteps(state: State, request: DownRequest): Promise<Step[]> {
  return (await selectDown(state, request)).map((migration) => ({ migration, direction: 'down' }));
}

/** The steps outside transactions that stopped on the way and that `asked` does not hold: they come first, in the direction that they had. */
export function unfinishedSteps({ migrations, progress }: State, asked: readonly Step[]): Step[] {
  const steps = new Map<string, Step>();
  for (const { name, direction } of progress) {
    const migration = migrations.find((one) => one.name === name);
    if (migration) steps.set(`${direction} ${name}`, { migration, direction });
  }
  for (const { migration, direction } of asked) steps.delete(`${direction} ${migration.name}`);
  return [...steps.values()];
}
