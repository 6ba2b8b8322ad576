import type { LoadedMigration } from '../files/code-migration.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import type { Step } from '../run/context/step.ts';
import { selectDown, selectUp } from './selection.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { statusOf } from '../ledger/status.ts';

/**
 * Returns the steps that apply migrations, in order. Calls each once, with every handle of the database closed to it.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function upSteps(state: State, request: UpRequest): Promise<Step[]> {
  const late = new Set(
    statusOf(state).flatMap(({ name, condition }) => (condition === 'late' ? [name] : [])),
  );
  const steps: Step[] = [];
  for (const migration of await selectUp(state, request)) {
    steps.push({
      migration,
      direction: 'up',
      statements: await statementsOf(migration),
      note: late.has(migration.name) ? 'out of order' : undefined,
    });
  }
  return steps;
}

/**
 * Returns what `up` of a migration sends; null when it queries the database, or throws: then it is called again when it runs, and fails
 * there.
 */
async function statementsOf(migration: LoadedMigration): Promise<readonly string[] | null> {
  const statements = await migration.emit('up').catch(() => null);
  if (statements) await refuseUnfitStatements(migration, statements);
  return statements;
}

/**
 * Returns the steps that revert migrations, in order.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function downSteps(state: State, request: DownRequest): Promise<Step[]> {
  return (await selectDown(state, request)).map((reversal) => ({ ...reversal, direction: 'down' }));
}
