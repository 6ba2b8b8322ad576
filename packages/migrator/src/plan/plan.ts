import { parseBackfill } from '../files/backfill.ts';
import type { Direction } from '../files/code-migration.ts';
import { sessionTimeouts, transactionTimeouts, type Limits } from '../run/context/limits.ts';
import type { Step } from '../run/context/step.ts';
import { findStandalone } from '../run/send-standalone.ts';
import type { Precheck } from '../prechecks/rows/precheck.ts';
import { beginStatement, type Session } from '../session/session.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import { requireKnown } from './targets.ts';
import { classifyStandalone } from '../sql/classify-standalone.ts';
import { stateOf, type Progress, type State } from '../ledger/state.ts';
import { unfinishedSteps } from '../run/unfinished-steps.ts';

/** The statements of one direction of a migration. */
export interface PlannedMigration {
  readonly name: string;
  readonly direction: Direction;
  readonly transactional: boolean;
  /** False if the migration queries the database, so that its statements are not known in advance. */
  readonly known: boolean;
  /**
   * In the order in which they are sent, including the beginning and end of transactions and their timeouts, without the migrator's
   * bookkeeping. A backfill is one update, without the transactions of its batches. If `known` is false, only the statements around
   * the migration's.
   */
  readonly statements: readonly string[];
  /**
   * The applied migrations in whose place a squash is recorded as applied, before anything is sent; none of its statements is. Empty for what is
   * run.
   */
  readonly takesOver: readonly string[];
  /** Why one would want it, where it is optional; else null. */
  readonly optional: string | null;
  /** What the rows of the database mean for it; absent without a connection, and for `down`. */
  readonly prechecks?: readonly Precheck[];
}

/** What a plan asks the database. */
export interface PlanSource {
  readonly session: Session;
  /** Counts the rows that would make steps fail. */
  readonly precheck: ((steps: readonly Step[], state: State) => Promise<Precheck[]>) | null;
}

/**
 * Returns what a run would send whose steps `choose` returns. Interrupted steps come first, as in a run. Calls each step once, with every handle
 * of the database closed to it. Asks the database what decides whether a statement runs in a transaction, as a run does: whether a table is
 * partitioned, or a procedure commits. Without a database, or of an object that does not exist yet, its text decides.
 */
export async function planOf(
  state: State,
  limits: Limits,
  choose: (state: State) => Promise<readonly Step[]>,
  source: PlanSource | null,
): Promise<PlannedMigration[]> {
  const first = await unfinishedSteps(state, await choose(state));
  const steps = [...first, ...(await choose(first.reduce(afterStep, state)))];
  const session = source?.session ?? null;
  const prechecks = await source?.precheck?.(steps, state);
  const planned = await Promise.all(
    steps.map(async (step): Promise<PlannedMigration> => {
      const { migration, direction } = step;
      const emitted = step.statements ?? (await migration.emit(direction));
      await refuseUnfitStatements(migration, emitted ?? []);
      return {
        name: migration.name,
        direction,
        transactional: migration.transactional,
        known: emitted !== null,
        statements: migration.transactional
          ? transaction(limits, step, emitted ?? [])
          : await stepByStep(limits, step, emitted ?? [], { progress: state.progress, session }),
        takesOver: [],
        optional: migration.optional,
        ...(prechecks && { prechecks: prechecks.filter((one) => one.migration === migration.name) }),
      };
    }),
  );
  return [...state.takeovers.map((one) => takeover(one, state)), ...planned];
}

function takeover({ name, replaced }: State['takeovers'][number], { migrations }: State): PlannedMigration {
  const takesOver = replaced.map((row) => row.name);
  const optional = migrations.find((one) => one.name === name)?.optional ?? null;
  return { name, direction: 'up', transactional: true, known: true, statements: [], takesOver, optional };
}

/**
 * Returns the state in which the migrations up to and including `last` are applied, or none when it is null. Of optional ones, only `last` is.
 *
 * @throws MigrationRefusedError when there is no such migration.
 */
export function appliedUpTo(migrations: State['migrations'], last: string | null): State {
  const names = migrations.map(({ name }) => name);
  if (last !== null) requireKnown(last, names);
  const log = migrations
    .slice(0, last === null ? 0 : names.indexOf(last) + 1)
    .filter(({ name, optional }) => optional === null || name === last)
    .map(({ name }, index) => ({ id: index + 1, name, executedAt: '' }));
  return stateOf(migrations, { log, history: new Map(), progress: [] });
}

function transaction(limits: Limits, step: Step, statements: readonly string[]): string[] {
  return [beginStatement, transactionTimeouts(limits, step), ...statements, 'commit'];
}

async function stepByStep(
  limits: Limits,
  step: Step,
  statements: readonly string[],
  { progress, session }: { readonly progress: readonly Progress[]; readonly session: Session | null },
): Promise<string[]> {
  const { migration, direction } = step;
  const done = new Set(
    progress
      .filter((row) => row.done && row.name === migration.name && row.direction === direction)
      .map(({ statement }) => statement),
  );
  const remaining = statements.filter((_, index) => !done.has(index));
  const sent = [sessionTimeouts(step)];
  for (const sql of remaining) {
    const kind = await (session ? findStandalone(session, sql) : classifyStandalone(sql));
    const standsAlone = parseBackfill(sql) !== null || kind !== null;
    sent.push(...(standsAlone ? [sql] : transaction(limits, step, [sql])));
  }
  return sent;
}

function afterStep(state: State, { migration: { name }, direction }: Step): State {
  const log = state.log.filter((row) => row.name !== name);
  const id = Math.max(0, ...state.log.map((row) => row.id)) + 1;
  return {
    ...state,
    log: direction === 'up' ? [...log, { id, name, executedAt: '' }] : log,
    progress: state.progress.filter((row) => row.name !== name || row.direction !== direction),
  };
}
