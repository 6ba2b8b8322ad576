import { isNativeError } from 'node:util/types';
import type { Subject } from '../catalog/subject.ts';
import type { DownRequest } from '../ledger/requests.ts';
import type { State } from '../ledger/state.ts';
import { downSteps } from '../plan/steps.ts';
import { filledTables } from './filled-tables.ts';
import { callsCode } from '../sql/calls-code.ts';
import type { EmittedMigration } from '../files/emitted-migration.ts';
import { touchedByDown } from './touched-tables.ts';

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
  subject: Subject,
  state: State,
  request: DownRequest,
): Promise<DownLosses> {
  const steps = await downSteps(state, request);
  if (steps.length === 0 && state.progress.length === 0) return { tables: [], unknown: null };
  const filled = await filledTables(subject);
  // A scratch database takes most of a second.
  if (filled.length === 0) return { tables: [], unknown: null };
  const unknown = (why: string): DownLosses => ({ tables: filled.map(({ label }) => label), unknown: why });
  const [unfinished] = state.progress;
  if (unfinished) return unknown(`${unfinished.name} stopped half way`);
  for (const { migration } of steps) {
    if (await isUnforeseeable(migration)) return unknown(`${migration.name} depends on what it finds`);
  }
  try {
    const applied = state.log.map(({ name }) => name);
    const isTouched = await touchedByDown(subject, applied, request);
    return { tables: filled.filter(isTouched).map(({ label }) => label), unknown: null };
  } catch (error) {
    // A role that may not create databases, a pooler. To ask once too often does no harm.
    return unknown(isNativeError(error) ? error.message : String(error));
  }
}

/** Whether what reverting a migration does may depend on rows, of which the scratch database has none. */
async function isUnforeseeable({ down }: EmittedMigration): Promise<boolean> {
  if (!down?.statements) return true;
  for (const sql of down.statements) if (await callsCode(sql)) return true;
  return false;
}
