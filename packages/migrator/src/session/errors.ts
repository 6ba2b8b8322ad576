/** Thrown when the migrator refuses a command or fails. `code` is stable; the message contains the remedy. */
export class MigratorError extends Error {
  override readonly name: string = 'MigratorError';
  readonly code: MigratorErrorCode;

  constructor(code: MigratorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * - `refused`: the command is not safe; the database is unchanged.
 * - `failed`: a migration failed; those before it stay applied.
 * - `interrupted`: the run was stopped by its signal; what was running was rolled back, or is resumed by the next `up` or `down`.
 * - `lock_held`: another runner held the lease for too long.
 * - `lock_lost`: the lease expired and another runner acquired it; this one stopped.
 */
export type MigratorErrorCode = 'refused' | 'failed' | 'interrupted' | 'lock_held' | 'lock_lost';

/** Thrown by the checks before the first statement. The database is unchanged. */
export class MigrationRefusedError extends MigratorError {
  override readonly name = 'RefusedError';

  constructor(message: string, options?: ErrorOptions) {
    super('refused', message, options);
  }
}

/** Returns the name that is most similar to what was typed; null when none is similar. */
export function nearestName(typed: string, names: readonly string[]): string | null {
  // Any name has a part of one or two letters.
  if (typed.length < 3) return null;
  const [best] = names
    .map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) / typed.length }))
    .toSorted((a, b) => a.distance - b.distance);
  return best && best.distance <= 0.35 ? best.name : null;
}

// Levenshtein distance to the most similar part of `name`, because names are rarely typed in full.
function editDistance(typed: string, name: string): number {
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
