import type { Naming } from '../create/file/naming.ts';
import type { MigrationSettings } from '../files/migration-settings.ts';
import type { StatementGroup } from './recorded-migration.ts';

/** The content of a squash. */
export interface SquashContent {
  /** The names of the migrations that it replaces, oldest first. */
  readonly replaces: readonly string[];
  readonly transactional: boolean;
  readonly settings: MigrationSettings;
  readonly up: readonly StatementGroup[];
  /** Null when it can't be reverted. */
  readonly down: readonly StatementGroup[] | null;
}

/** Returns the source of a squash, formatted. Its statements are not, because a digest of them is recorded. */
export function squashSource({ className, name, form }: Naming, content: SquashContent): string {
  const { replaces, transactional, settings, up, down } = content;
  const typed = form === 'typescript';
  const [override, readonly] = typed ? ['override ', 'readonly '] : ['', ''];
  const returns = (type: string) => (typed ? `: ${type}` : '');
  const imported =
    form === 'commonjs'
      ? `'use strict';\n\nconst { Migration } = require('@mikro-orm/migrations');`
      : `import { Migration } from '@mikro-orm/migrations';`;
  const members = [
    `  ${override}name = '${name}';`,
    `  static ${readonly}replaces = [\n${replaces.map((one) => `    '${one}',\n`).join('')}  ];`,
    ...Object.entries(settings).map(([setting, value]) => `  ${readonly}${setting} = ${value};`),
    transactional ? null : `  ${override}isTransactional()${returns('boolean')} {\n    return false;\n  }`,
    `  ${override}up()${returns('void')} {\n${body(up)}  }`,
    down && `  ${override}down()${returns('void')} {\n${body(down)}  }`,
  ].filter((member) => member !== null);
  return `${imported}

/**
 * The statements of ${replaces.length} migrations, up to ${replaces.at(-1)}.
 *
 * A database that has them all records this one in their place; a new one runs it.
 */
${form === 'commonjs' ? '' : 'export '}class ${className} extends Migration {
${members.join('\n\n')}
}
${form === 'commonjs' ? `\nexports.${className} = ${className};\n` : ''}`;
}

function body(groups: readonly StatementGroup[]): string {
  return groups
    .map(({ name, statements }) => `    // ${name}\n${statements.map(addSqlCall).join('')}`)
    .join('\n');
}

// A long one begins on a new line, which the migrator trims.
function addSqlCall(sql: string): string {
  const line = `    this.addSql(\`${asTemplate(sql)}\`);\n`;
  if (line.length <= 80 && !sql.includes('\n')) return line;
  return `    this.addSql(\`\n      ${asTemplate(sql)}\`);\n`;
}

/** Returns the text of a template with the given value. A template reads a carriage return as a line feed. */
function asTemplate(sql: string): string {
  return sql.replaceAll(/[\\`]|\$(?=\{)/g, String.raw`\$&`).replaceAll('\r', String.raw`\r`);
}
