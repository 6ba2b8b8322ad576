import { digestOf, type CodeMigration } from '../files/code-migration.ts';
import type { LastEntry } from './history.ts';
import type { Edit, State } from './state.ts';
import { hasOtherText } from './status.ts';

/**
 * Finds out for each applied migration whose text differs from the recorded ones, or can't be compared, whether its SQL differs too: calls its
 * `up` once, with every handle of the database closed to it. One that can't be loaded, throws or queries the database is `unknown`.
 */
export async function withEdits(state: State): Promise<State> {
  const applied = new Set(state.log.map(({ name }) => name));
  const edits = new Map<string, Edit>();
  for (const migration of state.migrations) {
    const entry = state.history.get(migration.name);
    if (!entry || !applied.has(migration.name)) continue;
    if (migration.textDigest !== null && !hasOtherText(migration, entry)) continue;
    edits.set(migration.name, await compare(migration, entry));
  }
  return { ...state, edits };
}

async function compare(migration: CodeMigration, { checksum }: LastEntry): Promise<Edit> {
  if (checksum === null) return 'unknown';
  try {
    const statements = await (await migration.load()).emit('up');
    if (statements === null) return 'unknown';
    return digestOf(statements) === checksum ? 'same' : 'different';
  } catch {
    return 'unknown';
  }
}

/** Returns how the applied SQL compares with that of the same migrations on a scratch database, whose entries are `repeated`. */
export function editsBy(
  { history }: State,
  repeated: ReadonlyMap<string, LastEntry>,
): ReadonlyMap<string, Edit> {
  const edits = [...history].map(([name, { checksum }]) => {
    const found = repeated.get(name)?.checksum ?? null;
    const edit: Edit =
      checksum === null || found === null ? 'unknown' : found === checksum ? 'same' : 'different';
    return [name, edit] as const;
  });
  return new Map(edits);
}

/** Returns the migrations whose text is to be recorded as one that sends the SQL that was applied. */
export function sameInOtherText({ migrations, edits }: State): CodeMigration[] {
  return migrations.filter(({ name, textDigest }) => textDigest !== null && edits.get(name) === 'same');
}
