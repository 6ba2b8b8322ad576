import { isNativeError } from 'node:util/types';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { DownRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { downSteps } from '../plan/steps.ts';
import { tablesWithRows } from './tables-with-rows.ts';
import { tablesTouchedByDown } from './tables-touched.ts';

// What a block, a procedure or a function does may depend on rows, of which the scratch database has none.
const callsCode = /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*(?:do|call|select)\b/is;

/** What going back would lose. */
export interface DownLosses {
  /** Tables that hold rows, and that it drops, deletes from, or takes values from; those of other schemas than `public` with theirs. */
  readonly tables: readonly string[];
  /** Why that could not be found out, so that `tables` are all that hold rows; null when it was. */
  readonly unknown: string | null;
}

/**
 * What `Migrator.lossesOfDown` promises. PostgreSQL is asked what the migrations do: they are reverted on a scratch database. Which of
 * the tables that they touch hold rows, the connected database is asked.
 */
export async function lossesOfDown(
  migrated: MigratedDatabase,
  state: State,
  request: DownRequest,
): Promise<DownLosses> {
  const steps = downSteps(state, request);
  if (steps.length === 0 && state.progress.length === 0) return { tables: [], unknown: null };
  const filled = await tablesWithRows(migrated);
  // A scratch database takes most of a second.
  if (filled.length === 0) return { tables: [], unknown: null };
  const unknown = (why: string): DownLosses => ({ tables: filled.map(({ label }) => label), unknown: why });
  const [unfinished] = state.progress;
  if (unfinished) return unknown(`${unfinished.name} was interrupted`);
  const unforeseeable = steps.find(
    ({ migration }) => migration.down?.statements?.every((sql) => !callsCode.test(sql)) !== true,
  );
  if (unforeseeable) return unknown(`${unforeseeable.migration.name} depends on the rows of the database`);
  try {
    const applied = state.log.map(({ name }) => name);
    const isTouched = await tablesTouchedByDown(migrated, applied, request);
    return { tables: filled.filter(isTouched).map(({ label }) => label), unknown: null };
  } catch (error) {
    // A role that may not create databases, a pooler. To ask once too often does no harm.
    return unknown(isNativeError(error) ? error.message : String(error));
  }
}
