import type { Step } from '../run/step.ts';
import { selectDown, selectUp } from './selection.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { statusOf } from '../ledger/status.ts';

/**
 * Returns the steps that apply migrations, in order.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function upSteps(state: State, request: UpRequest): Promise<Step[]> {
  const late = new Set(
    statusOf(state).flatMap(({ name, condition }) => (condition === 'late' ? [name] : [])),
  );
  return (await selectUp(state, request)).map((migration) => ({
    migration,
    direction: 'up',
    statements: null,
    note: late.has(migration.name) ? 'out of order' : undefined,
  }));
}

/**
 * Returns the steps that revert migrations, in order.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function downSteps(state: State, request: DownRequest): Promise<Step[]> {
  return (await selectDown(state, request)).map((reversal) => ({ ...reversal, direction: 'down' }));
}
