import { Migration } from '@mikro-orm/migrations';
import type { MigrationSettings } from './migration-settings.ts';

/** A migration whose directions are known statements. */
export interface StatementMigration {
  readonly transactional: boolean;
  readonly settings?: Pick<MigrationSettings, 'lockTimeout' | 'statementTimeout'>;
  readonly up: readonly string[];
  readonly down: readonly string[];
  /** What the class declares in static properties. */
  readonly declared?: {
    readonly replaces?: readonly string[];
    readonly loses?: readonly string[];
    readonly refuses?: readonly string[];
    readonly lint?: Readonly<Record<string, string>>;
  };
}

/** The class of a migration, as the ORM makes instances of it. */
export type MigrationClass = new (...given: ConstructorParameters<typeof Migration>) => Migration;

/** Returns the class of a migration that has no file. */
export function migrationClass({
  transactional,
  settings = {},
  up,
  down,
  declared = {},
}: StatementMigration): MigrationClass {
  return class extends Migration {
    static readonly replaces = declared.replaces ?? [];
    static readonly loses = declared.loses ?? [];
    static readonly refuses = declared.refuses ?? [];
    static readonly lint = declared.lint ?? {};
    readonly lockTimeout = settings.lockTimeout;
    readonly statementTimeout = settings.statementTimeout;
    override isTransactional(): boolean {
      return transactional;
    }
    override up(): void {
      for (const sql of up) this.addSql(sql);
    }
    override down(): void {
      for (const sql of down) this.addSql(sql);
    }
  };
}
