/** Why the migrator refused or failed. `code` is stable, for programs; the message says what to do. */
export class MigratorError extends Error {
  override readonly name: string = 'MigratorError';
  readonly code: MigratorErrorCode;

  constructor(code: MigratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * - `refused`: what was asked for can't be done safely; the database is unchanged.
 * - `failed`: a migration failed; those before it stay applied.
 * - `lock_held`: another runner did not end in time.
 * - `lock_lost`: another runner took over, so that this one stopped.
 */
export type MigratorErrorCode = 'refused' | 'failed' | 'lock_held' | 'lock_lost';

/** What the checks before the first statement found. The database is unchanged. */
export class RefusedError extends MigratorError {
  override readonly name = 'RefusedError';

  constructor(message: string, options?: ErrorOptions) {
    super('refused', message, options);
  }
}

/** The name closest to what was typed, for a hint; null when none comes near. */
export function nearestName(typed: string, names: readonly string[]): string | null {
  // Of a letter or two any name has some part.
  if (typed.length < 3) return null;
  const [best] = names
    .map((name) => ({ name, apart: distance(typed.toLowerCase(), name.toLowerCase()) / typed.length }))
    .toSorted((a, b) => a.apart - b.apart);
  return best && best.apart <= 0.35 ? best.name : null;
}

// Levenshtein's, from the part of `name` that is closest, over one row: who mistypes a name seldom types all of it.
function distance(typed: string, name: string): number {
  let row = Array.from({ length: name.length + 1 }, () => 0);
  for (let i = 1; i <= typed.length; i++) {
    const next = [i];
    for (let j = 1; j <= name.length; j++) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (typed[i - 1] === name[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return Math.min(...row);
}
