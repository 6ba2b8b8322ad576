import { isNativeError } from 'node:util/types';
import type { CodeMigration, LoadedMigration } from '../files/code-migration.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import { MigratorError, MigrationRefusedError } from '../session/errors.ts';
import type { State } from '../ledger/state.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import { refuseBlockedSquashes } from '../ledger/takeovers.ts';
import { optionalTargets } from './optional-targets.ts';
import { downTarget, upTarget } from './targets.ts';
import { statusOf, type MigrationCondition } from '../ledger/status.ts';

/**
 * Returns the migrations to apply, oldest first. Calls none of them.
 *
 * @throws MigrationRefusedError when it can't be done safely, or one can't be loaded.
 */
export async function selectUp(
  state: State,
  { to: target, optional = [], allowOutOfOrder = false, allowAhead = false }: UpRequest,
): Promise<LoadedMigration[]> {
  const applied = new Set(state.log.map(({ name }) => name));
  const missing = state.migrations.filter(({ name }) => !applied.has(name));
  const named = optionalTargets(optional, state);
  const isPending = (one: CodeMigration): boolean => one.optional === null || named.has(one.name);
  const to =
    target === undefined
      ? undefined
      : upTarget(target, namesOf(state.migrations), namesOf(missing.filter(isPending)));
  const pending = missing.filter((one) => isPending(one) || one.name === to);
  // Older code may not change what newer code has migrated.
  const acceptsAhead = allowAhead && pending.length === 0;
  refuse(state, [
    ...unsafe,
    ...(acceptsAhead ? [] : (['ahead'] as const)),
    ...(allowOutOfOrder ? [] : (['late'] as const)),
  ]);
  const last = state.migrations.findIndex(({ name }) => name === to);
  const isBeyond = (one: CodeMigration): boolean => last !== -1 && state.migrations.indexOf(one) > last;
  const beyond = pending.find((one) => isBeyond(one) && named.has(one.name));
  if (beyond)
    throw new MigrationRefusedError(
      `${beyond.name} comes after ${to}, the last one to apply: choose a later --to (to), or none`,
    );
  return Promise.all(pending.filter((one) => !isBeyond(one)).map((migration) => migration.load()));
}

function namesOf(migrations: readonly CodeMigration[]): string[] {
  return migrations.map(({ name }) => name);
}

/** A migration to revert, and what its `down` sends. */
export interface Reversal {
  readonly migration: LoadedMigration;
  /** Null when it queries the database. */
  readonly statements: readonly string[] | null;
}

/**
 * Returns the migrations to revert, in reverse order of their application. Calls each `down` once, with every handle of the database closed to
 * it, so that nothing is reverted when one of them can't be.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function selectDown(
  state: State,
  { to: target, steps, all = false, optional }: DownRequest,
): Promise<Reversal[]> {
  refuse(state, [...unsafe, 'ahead']);
  const applied = state.log.map(({ name }) => name);
  const to = target === undefined ? undefined : downTarget(target, applied, state);
  if ([to, steps, optional].filter((one) => one !== undefined).length + Number(all) > 1)
    throw new MigrationRefusedError('pass only one of `to`, `steps`, `all` and `optional`');
  if (steps !== undefined && (!Number.isInteger(steps) || steps < 1)) {
    throw new MigrationRefusedError(
      `steps: ${String(steps)} is not a number of migrations; use a whole number from 1`,
    );
  }
  const from = to === undefined ? (all ? 0 : applied.length - (steps ?? 1)) : applied.indexOf(to) + 1;
  const names = optional ? namedOf(optional, state) : applied.slice(Math.max(from, 0)).toReversed();
  const known = new Map(state.migrations.map((migration) => [migration.name, migration]));
  const chosen: Reversal[] = [];
  for (const name of names) {
    const migration = await known.get(name)?.load();
    if (!migration) throw new MigrationRefusedError(`${name} ${reasons.missing}`);
    const statements = await migration.emit('down').catch((cause: unknown) => {
      if (cause instanceof MigratorError) throw cause;
      const why = isNativeError(cause) ? cause.message : String(cause);
      throw new MigrationRefusedError(
        `${name} can't be reverted; its \`down\` throws "${why}"; restore a backup, or write a new migration`,
        { cause },
      );
    });
    await refuseUnfitStatements(migration, statements ?? []);
    chosen.push({ migration, statements });
  }
  return chosen;
}

/** Returns optional migrations, the one applied last first. */
function namedOf(optional: readonly string[], state: State): string[] {
  const wanted = optionalTargets(optional, state);
  const applied = state.log.map(({ name }) => name);
  const missing = [...wanted].find((name) => !applied.includes(name));
  if (missing !== undefined) throw new MigrationRefusedError(`${missing} is not applied`);
  return applied.filter((name) => wanted.has(name)).toReversed();
}

const unsafe: readonly MigrationCondition[] = ['duplicate', 'missing', 'edited'];

const reasons: Readonly<Partial<Record<MigrationCondition, string>>> = {
  duplicate: 'has several rows in the log: find out why it was applied twice, then delete all but one',
  missing:
    'is applied, but its file is missing: restore the file, or run the code that has it; or `repair forget` it',
  edited:
    'was edited after it was applied: restore the file, and write a new migration for the change; or `repair accept` it',
  ahead: 'is applied and newer than this code: deploy the code that has it',
  unfinished: 'was interrupted: finish it with `up` or `down` first',
  late: 'is older than applied migrations: rename it to be the newest, or pass --allow-out-of-order (allowOutOfOrder)',
};

/** @throws MigrationRefusedError when the log is inconsistent, or a migration was interrupted. */
export function requireConsistent(state: State): void {
  refuse(state, [...unsafe, 'ahead', 'unfinished']);
}

function refuse(state: State, conditions: readonly MigrationCondition[]): void {
  // Before what it replaces is refused as missing.
  refuseBlockedSquashes(state);
  const problems = statusOf(state).filter(({ condition }) => conditions.includes(condition));
  if (problems.length > 0) {
    throw new MigrationRefusedError(
      problems.map(({ name, condition }) => `${name} ${reasons[condition]}`).join('\n'),
    );
  }
  refuseLostProgress(state);
}

// What its statements were is known to its file only.
function refuseLostProgress({ migrations, progress }: State): void {
  for (const { name, statement } of progress) {
    if (!migrations.some((migration) => migration.name === name)) {
      throw new MigrationRefusedError(
        `${name} was interrupted at statement ${statement + 1}, and its file is missing: restore the file, and finish it first; or run \`repair abandon ${name}\``,
      );
    }
  }
}
