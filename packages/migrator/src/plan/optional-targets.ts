import type { State } from '../ledger/state.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { findNamed, refuseUnknown } from './targets.ts';

/**
 * Returns the optional migrations that texts name: each by its name, or by a beginning that no other optional one has.
 *
 * @throws MigrationRefusedError when one names none, several, or a migration that is not optional.
 */
export function optionalTargets(
  targets: readonly string[],
  { migrations }: Pick<State, 'migrations'>,
): ReadonlySet<string> {
  const names = migrations.flatMap(({ name, optional }) => (optional === null ? [] : [name]));
  return new Set(targets.map((target) => findNamed(target, names) ?? refuse(target, names, migrations)));
}

function refuse(target: string, names: readonly string[], migrations: State['migrations']): never {
  const other = findNamed(
    target,
    migrations.map(({ name }) => name),
  );
  if (other === undefined) return refuseUnknown(target, names);
  throw new MigrationRefusedError(`${other} is not optional: leave it out of --optional (optional)`);
}
