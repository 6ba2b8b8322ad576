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
export function nearest(typed: string, names: readonly string[]): string | null {
  if (typed === '') return null;
  const [best] = names
    .map((name) => ({ name, apart: apart(typed.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.apart - b.apart);
  return best && best.apart <= 0.4 ? best.name : null;
}

// From 0 for a part of the name to 1. What it says it does may be all that was typed.
function apart(typed: string, name: string): number {
  if (name.includes(typed)) return 0;
  const whole = [name, name.slice(name.indexOf('_') + 1)];
  return Math.min(...whole.map((part) => distance(typed, part) / Math.max(typed.length, part.length)));
}

// Levenshtein's, over one row.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
