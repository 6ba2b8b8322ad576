import { isNativeError } from 'node:util/types';
import type { LoadedMigration } from '../files/code-migration.ts';
import type { MigrationSettings } from '../files/migration-settings.ts';
import { MigrationRefusedError } from '../session/errors.ts';

/** A migration by the statements that it adds. */
export interface RecordedMigration {
  readonly name: string;
  readonly transactional: boolean;
  /** Its timeouts; without those that it leaves to the migrator. */
  readonly settings: MigrationSettings;
  readonly up: readonly string[];
  /** Null when it can't be reverted by statements alone. */
  readonly down: readonly string[] | null;
}

/** The statements of one migration in a direction of a squash, as they are sent. */
export interface StatementGroup {
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * Returns the statements of migrations. Calls `up` and `down` of each once, with every handle of the database closed to it.
 *
 * @throws MigrationRefusedError that names each migration whose `up` does more than add statements.
 */
export async function recordMigrations(migrations: readonly LoadedMigration[]): Promise<RecordedMigration[]> {
  const problems: string[] = [];
  const recorded: RecordedMigration[] = [];
  for (const migration of migrations) {
    const { name, transactional, settings } = migration;
    const up = await migration.emit('up').catch((error: unknown) => messageOf(error));
    const down = await migration.emit('down').catch(() => null);
    if (up === null) problems.push(`${name} queries the database, so that its statements depend on it`);
    else if (typeof up === 'string') problems.push(`${name} throws "${up}"`);
    else recorded.push({ name, transactional, settings, up, down });
  }
  if (problems.length === 0) return recorded;
  throw new MigrationRefusedError(
    `a squash consists of the statements that addSql adds: choose an older --to, or let these add them:\n${problems.map((one) => `  ${one}`).join('\n')}`,
  );
}

/** Whether a squash of migrations can run in one transaction. */
export function isTransactional(recorded: readonly RecordedMigration[]): boolean {
  return recorded.every(({ transactional }) => transactional);
}

/**
 * Returns the timeouts of a squash: those that all its migrations with statements have.
 *
 * @throws MigrationRefusedError when they differ: a squash has one for all its statements, which would be too short or too long for some.
 */
export function settingsOfAll(recorded: readonly RecordedMigration[]): MigrationSettings {
  const sending = recorded.filter(({ up, down }) => up.length + (down?.length ?? 0) > 0);
  const found: { -readonly [key in keyof MigrationSettings]: MigrationSettings[key] } = {};
  for (const setting of ['lockTimeout', 'statementTimeout'] as const) {
    const byValue = Map.groupBy(sending, ({ settings }) => settings[setting]);
    if (byValue.size > 1) {
      const lines = [...byValue].map(
        ([value, migrations]) => `  ${value ?? 'none'}: ${migrations.map(({ name }) => name).join(', ')}`,
      );
      throw new MigrationRefusedError(
        `a squash has one ${setting} for all its statements, and the migrations have several: choose an older --to, or give each the same or ` +
          `none, which is no edit of what they send; nothing was written:\n${lines.join('\n')}`,
      );
    }
    const [value] = byValue.keys();
    if (value !== undefined) found[setting] = value;
  }
  return found;
}

/**
 * Returns the statements of a direction, by migration, in the order in which they are sent; null where a migration can't be reverted. In a
 * squash that runs statement by statement, those of a migration that runs in one transaction become one text, which has one too.
 */
export function groupsOf(
  recorded: readonly RecordedMigration[],
  direction: 'up' | 'down',
): StatementGroup[] | null {
  const separate = isTransactional(recorded);
  const ordered = direction === 'up' ? recorded : recorded.toReversed();
  const groups: StatementGroup[] = [];
  for (const migration of ordered) {
    const statements = migration[direction];
    if (statements === null) return null;
    const joined = migration.transactional && !separate && statements.length > 1;
    groups.push({ name: migration.name, statements: joined ? [asOneText(statements)] : statements });
  }
  return groups.filter(({ statements }) => statements.length > 0);
}

// A comment at the end would swallow the semicolon.
function asOneText(statements: readonly string[]): string {
  return statements
    .map((sql) => (sql.slice(sql.lastIndexOf('\n') + 1).includes('--') ? `${sql}\n;` : `${sql};`))
    .join('\n');
}

function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
