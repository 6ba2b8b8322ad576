import type { EmittedMigration } from '../files/emitted-migration.ts';
import { refuseUnfitStatements } from '../files/refuse-unfit-statements.ts';
import { nearestName, MigrationRefusedError } from '../session/errors.ts';
import type { State } from '../ledger/state.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import { statusOf, type MigrationCondition } from '../ledger/status.ts';

/**
 * Returns the migrations to apply, oldest first.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function selectUp(
  state: State,
  { to, allowOutOfOrder = false }: UpRequest,
): Promise<EmittedMigration[]> {
  refuse(state, allowOutOfOrder ? [...unsafe, 'ahead'] : [...unsafe, 'ahead', 'late']);
  const names = state.migrations.map(({ name }) => name);
  if (to !== undefined && !names.includes(to)) throw unknown(to, names);
  const applied = new Set(state.log.map(({ name }) => name));
  const chosen = state.migrations.filter(
    ({ name }) => !applied.has(name) && (to === undefined || name <= to),
  );
  for (const migration of chosen) await refuseUnfitStatements(migration, migration.up.statements ?? []);
  return chosen;
}

/**
 * Returns the migrations to revert, in reverse order of their application.
 *
 * @throws MigrationRefusedError when it can't be done safely.
 */
export async function selectDown(
  state: State,
  { to, steps, all = false }: DownRequest,
): Promise<EmittedMigration[]> {
  refuse(state, [...unsafe, 'ahead']);
  const applied = state.log.map(({ name }) => name);
  if (to !== undefined && !applied.includes(to)) throw notApplied(to, applied, state);
  if ([to !== undefined, steps !== undefined, all].filter(Boolean).length > 1)
    throw new MigrationRefusedError('pass only one of `to`, `steps` and `all`');
  if (steps !== undefined && (!Number.isInteger(steps) || steps < 1)) {
    throw new MigrationRefusedError(
      `steps: ${String(steps)} is not a number of migrations; use a whole number from 1`,
    );
  }
  const from = to === undefined ? (all ? 0 : applied.length - (steps ?? 1)) : applied.indexOf(to) + 1;
  const names = applied.slice(Math.max(from, 0)).toReversed();
  const known = new Map(state.migrations.map((migration) => [migration.name, migration]));
  const chosen: EmittedMigration[] = [];
  for (const name of names) {
    const migration = known.get(name);
    if (!migration?.down)
      throw new MigrationRefusedError(
        `${name} can't be reverted; its \`down\` throws "${migration?.irreversible ?? ''}"; restore a backup, or write a new migration`,
      );
    await refuseUnfitStatements(migration, migration.down.statements ?? []);
    chosen.push(migration);
  }
  return chosen;
}

const unsafe: readonly MigrationCondition[] = ['duplicate', 'missing', 'edited'];

const reasons: Readonly<Partial<Record<MigrationCondition, string>>> = {
  duplicate: 'has several rows in the log: find out why it was applied twice, then delete all but one',
  missing: 'is applied, but its file is missing: restore the file, or run the code that has it',
  edited: 'was edited after it was applied: restore the file, and write a new migration for the change',
  ahead: 'is applied and newer than this code: deploy the code that has it',
  unfinished: 'was interrupted: finish it with `up` or `down` first',
  late: 'is older than applied migrations: rename it to be the newest, or pass --allow-out-of-order (allowOutOfOrder)',
};

/** @throws MigrationRefusedError when the log is inconsistent, or a migration was interrupted. */
export function requireConsistent(state: State): void {
  refuse(state, [...unsafe, 'ahead', 'unfinished']);
}

function refuse(state: State, conditions: readonly MigrationCondition[]): void {
  const problems = statusOf(state).filter(({ condition }) => conditions.includes(condition));
  if (problems.length > 0) {
    throw new MigrationRefusedError(
      problems.map(({ name, condition }) => `${name} ${reasons[condition]}`).join('\n'),
    );
  }
  refuseEditedProgress(state);
}

// Part of its former text has run, so it can't be resumed with the new one.
function refuseEditedProgress({ migrations, progress }: State): void {
  for (const { name, checksum, statement } of progress) {
    const migration = migrations.find((one) => one.name === name);
    if (!migration || migration.checksum !== checksum) {
      throw new MigrationRefusedError(
        `${name} was interrupted at statement ${statement + 1} and edited since: restore the file, and finish it first`,
      );
    }
  }
}

/** @throws MigrationRefusedError when no migration has this name; the message suggests the nearest. */
export function requireKnown(name: string, names: readonly string[]): void {
  if (!names.includes(name)) throw unknown(name, names);
}

function notApplied(name: string, applied: readonly string[], { migrations }: State): MigrationRefusedError {
  if (!migrations.some((migration) => migration.name === name)) return unknown(name, applied);
  return new MigrationRefusedError(`${name} is not applied; choose a target that is`);
}

function unknown(name: string, names: readonly string[]): MigrationRefusedError {
  const hint = nearestName(name, names);
  return new MigrationRefusedError(
    `there is no migration ${JSON.stringify(name)}: ${hint === null ? '`status` lists them' : `did you mean ${hint}?`}`,
  );
}
