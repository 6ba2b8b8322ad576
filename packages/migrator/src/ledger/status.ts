import type { CodeMigration } from '../files/code-migration.ts';
import type { LastEntry } from './history.ts';
import type { State } from './state.ts';
import { blockedSquashes } from './takeovers.ts';

/**
 * - `applied`, `pending`
 * - `optional`: not applied, and left out by `up` until it is named
 * - `unfinished`: interrupted between two statements outside a transaction; the next `up` or `down` resumes it, if its file is there
 * - `edited`: its file differs from that which was applied. `status` says so for a reformatted file too, until `up` has found its SQL to be the
 *   same; of a class in a list it says nothing, since its text depends on the loader. `up` compares the SQL of both
 * - `missing`: applied, but the code does not have it
 * - `ahead`: applied, but newer than every migration of the code
 * - `late`: pending, but older than an applied migration of the code
 * - `duplicate`: more than once in the list of applied migrations
 * - `takeover`: a squash that counts as applied, because all that it replaces is; the next `up` or `down` records it in their place
 * - `blocked`: a squash that can neither be applied nor take over, because a part of what it replaces is applied, or is still in the code
 */
export type MigrationCondition =
  | 'applied'
  | 'pending'
  | 'optional'
  | 'unfinished'
  | 'edited'
  | 'missing'
  | 'ahead'
  | 'late'
  | 'duplicate'
  | 'takeover'
  | 'blocked';

/** A migration of the code or the database. */
export interface MigrationStatus {
  readonly name: string;
  readonly condition: MigrationCondition;
  /** When it was applied, by the database's clock; null when it is not applied. */
  readonly appliedAt: Date | null;
  /** How long it took, in milliseconds; null where another tool applied it. */
  readonly duration: number | null;
  /** Database role, operating system's user and host; null where another tool applied it. */
  readonly by: string | null;
  /** The digest of the SQL that was applied; null when it is not applied, or the SQL is not known. */
  readonly checksum: string | null;
  /** Why one would want an optional migration; null for any other, and for one that the code does not have. */
  readonly optional: string | null;
}

const reverting: ReadonlySet<string> = new Set(['down', 'reverted', 'abandon', 'forget', 'replaced']);

/** Whether the text of a migration differs from all recorded ones. Of a migration that another tool applied, none is recorded. */
export function hasOtherText({ textDigest }: CodeMigration, { textDigests }: LastEntry): boolean {
  return textDigest !== null && textDigests.length > 0 && !textDigests.includes(textDigest);
}

/** Returns the names of the code in their order, each after the unknown ones that sort before it, and the other unknown ones. */
function withUnknown(order: readonly string[], unknown: readonly string[]): string[] {
  let left = unknown.toSorted();
  const merged = order.flatMap((name) => {
    const before = left.filter((one) => one < name);
    left = left.filter((one) => one >= name);
    return [...before, name];
  });
  return [...merged, ...left];
}

/** Returns every migration of the code or the database, in the code's order. */
export function statusOf(state: State): MigrationStatus[] {
  const { migrations, log, history, progress, edits, takeovers } = state;
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const applied = new Map(log.map((row) => [row.name, row]));
  const counts = Map.groupBy(log, ({ name }) => name);
  const order = migrations.map(({ name }) => name);
  const newestKnown = order.toSorted().at(-1) ?? '';
  const lastApplied = order.findLastIndex((name) => applied.has(name));
  const unfinished = new Set(progress.map(({ name }) => name));
  const blocked = new Set(blockedSquashes(state).map(({ name }) => name));

  const unknown = [...applied.keys(), ...unfinished].filter((name) => !known.has(name));
  return withUnknown(order, [...new Set(unknown)]).map((name) => {
    const migration = known.get(name);
    const row = applied.get(name);
    const last = history.get(name);
    // A newer row was written by another tool.
    const ours = !row || (last && Date.parse(row.executedAt) <= Date.parse(last.finishedAt));
    const entry = last && !reverting.has(last.direction) && ours ? last : undefined;
    return {
      name,
      condition: condition(),
      appliedAt: row ? new Date(row.executedAt) : null,
      duration: row && entry ? Date.parse(entry.finishedAt) - Date.parse(entry.startedAt) : null,
      by: row && entry ? `${entry.role} (${entry.osUser ?? '?'}@${entry.host ?? '?'})` : null,
      checksum: row ? (entry?.checksum ?? null) : null,
      optional: migration?.optional ?? null,
    };

    function condition(): MigrationCondition {
      if ((counts.get(name)?.length ?? 0) > 1) return 'duplicate';
      if (unfinished.has(name)) return 'unfinished';
      if (!migration) return name > newestKnown ? 'ahead' : 'missing';
      if (blocked.has(name)) return 'blocked';
      if (takeovers.some((one) => one.name === name)) return 'takeover';
      if (!row && migration.optional !== null) return 'optional';
      if (!row) return order.indexOf(name) < lastApplied ? 'late' : 'pending';
      const edit = edits.get(name);
      if (edit !== undefined) return edit === 'different' ? 'edited' : 'applied';
      return entry && migration.hasFile && hasOtherText(migration, entry) ? 'edited' : 'applied';
    }
  });
}
