import { isNativeError } from 'node:util/types';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { DownRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { downSteps } from '../plan/steps.ts';
import { callsCode } from '../sql/calls-code.ts';
import type { Step } from '../run/context/step.ts';
import { tablesWithRows } from './tables-with-rows.ts';
import { tablesTouchedByDown } from './tables-touched.ts';

/** What `down` would lose. */
export interface DownLosses {
  /** Tables with rows that it drops or deletes from, or whose columns it drops; schema-qualified outside `public`. */
  readonly tables: readonly string[];
  /** Why the losses are unknown, so that `tables` lists every table with rows; null when they are known. */
  readonly unknown: string | null;
}

/**
 * Implements `Migrator.lossesOfDown`: reverts the migrations on a scratch database to see which tables they touch, and reads from the
 * connected database which of these hold rows.
 */
export async function lossesOfDown(
  migrated: MigratedDatabase,
  state: State,
  request: DownRequest,
): Promise<DownLosses> {
  const steps = await downSteps(state, request);
  if (steps.length === 0 && state.progress.length === 0) return { tables: [], unknown: null };
  const filled = await tablesWithRows(migrated);
  // Creating a scratch database takes most of a second.
  if (filled.length === 0) return { tables: [], unknown: null };
  const unknown = (why: string): DownLosses => ({ tables: filled.map(({ label }) => label), unknown: why });
  const [unfinished] = state.progress;
  if (unfinished) return unknown(`${unfinished.name} was interrupted`);
  for (const step of steps) {
    if (await isUnforeseeable(step))
      return unknown(`${step.migration.name} depends on the rows of the database`);
  }
  try {
    const applied = state.log.map(({ name }) => name);
    const isTouched = await tablesTouchedByDown(migrated, applied, request);
    return { tables: filled.filter(isTouched).map(({ label }) => label), unknown: null };
  } catch (error) {
    // Such as a role that may not create databases, or a pooler. An unnecessary confirmation does no harm.
    return unknown(isNativeError(error) ? error.message : String(error));
  }
}

/** Whether the effect of reverting a migration may depend on rows, which the scratch database does not have. */
async function isUnforeseeable({ statements }: Step): Promise<boolean> {
  if (!statements) return true;
  for (const sql of statements) if (await callsCode(sql)) return true;
  return false;
}
