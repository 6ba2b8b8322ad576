import type { State } from './state.ts';

/**
 * - `applied`, `pending`
 * - `unfinished`: stopped between two statements outside a transaction; the next `up` or `down` goes on with it
 * - `edited`: the code sends something else than what was applied
 * - `missing`: applied, but the code does not have it
 * - `ahead`: applied, but newer than all that the code has
 * - `late`: pending, but older than one that is applied and that the code is not behind
 * - `duplicate`: more than once in the list of applied migrations
 */
export type Condition =
  | 'applied'
  | 'pending'
  | 'unfinished'
  | 'edited'
  | 'missing'
  | 'ahead'
  | 'late'
  | 'duplicate';

/** A migration that the code or the database knows. */
export interface MigrationStatus {
  readonly name: string;
  readonly condition: Condition;
  /** When it was applied, by the database's clock; null while it is not. */
  readonly appliedAt: Date | null;
  /** How long it took, in milliseconds; null where another tool applied it. */
  readonly duration: number | null;
  /** Database role, operating system's user and host; null where another tool applied it. */
  readonly by: string | null;
  /** Of what the code has; of what was applied where the code has it no more; null where neither is known. */
  readonly checksum: string | null;
}

/** Every migration that the code or the database knows, in the order of their names. */
export function statusOf({ migrations, log, history, progress }: State): MigrationStatus[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const applied = new Map(log.map((row) => [row.name, row]));
  const counts = Map.groupBy(log, ({ name }) => name);
  const newestKnown = migrations.at(-1)?.name ?? '';
  // What is newer than the code was applied by newer code, which has its own order.
  const newestApplied =
    log
      .map(({ name }) => name)
      .filter((name) => name <= newestKnown)
      .toSorted()
      .at(-1) ?? '';
  const unfinished = new Set(progress.map(({ name }) => name));

  return [...new Set([...known.keys(), ...applied.keys()])].toSorted().map((name) => {
    const migration = known.get(name);
    const row = applied.get(name);
    const last = history.get(name);
    // A row that is younger is another tool's.
    const ours = !row || (last && Date.parse(row.executedAt) <= Date.parse(last.finishedAt));
    const entry = last && last.direction !== 'down' && ours ? last : undefined;
    return {
      name,
      condition: condition(),
      appliedAt: row ? new Date(row.executedAt) : null,
      duration: row && entry ? Date.parse(entry.finishedAt) - Date.parse(entry.startedAt) : null,
      by: row && entry ? `${entry.role} (${entry.osUser ?? '?'}@${entry.host ?? '?'})` : null,
      checksum: migration?.checksum ?? entry?.checksum ?? null,
    };

    function condition(): Condition {
      if ((counts.get(name)?.length ?? 0) > 1) return 'duplicate';
      if (!migration) return name > newestKnown ? 'ahead' : 'missing';
      if (unfinished.has(name)) return 'unfinished';
      if (!row) return name < newestApplied ? 'late' : 'pending';
      // What another tool applied has no checksum, and is taken as it is.
      return entry?.checksum && entry.checksum !== migration.checksum ? 'edited' : 'applied';
    }
  });
}
