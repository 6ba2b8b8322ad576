import type { Naming } from './naming.ts';

/** A statement and its warnings. */
interface Noted {
  readonly sql: string;
  readonly notes: readonly string[];
}

/** One direction of a created migration. */
export interface Method {
  /** Warnings about the whole direction. */
  readonly notes: readonly string[];
  readonly statements: readonly Noted[];
}

/** The content of a created migration. */
export interface Content {
  readonly up: Method;
  readonly down: Method;
  /** Tables that were there before and that it changes. */
  readonly locked: readonly string[];
  /** What `down` loses. */
  readonly losses: readonly string[];
}

/** Returns the source of a migration, formatted. */
export function sourceOf({ className, name, form }: Naming, content: Content): string {
  const typed = form === 'typescript';
  const [override, returns] = typed ? ['override ', ': void'] : ['', ''];
  const method = (direction: 'up' | 'down') =>
    `  ${override}${direction}()${returns} {\n${body(content[direction])}  }\n`;
  const imported =
    form === 'commonjs'
      ? `'use strict';\n\nconst { Migration } = require('@mikro-orm/migrations');`
      : `import { Migration } from '@mikro-orm/migrations';`;
  const exported = form === 'commonjs' ? `\nexports.${className} = ${className};\n` : '';
  return `${imported}

${docstring(content)}
${form === 'commonjs' ? '' : 'export '}class ${className} extends Migration {
  ${override}name = '${name}';

${method('up')}
${method('down')}}
${exported}`;
}

function docstring({ locked, losses }: Content): string {
  const lines = [
    'Say here why: what could not be done before, or went wrong.',
    '',
    locked.length === 0
      ? 'Locks: none that matter, nothing is changed that was there before.'
      : `Locks: ${listed(locked)}; say whom that stops, and for how long.`,
    losses.length === 0 ? 'Going back loses nothing.' : `Going back loses ${listed(losses)}.`,
  ];
  return ['/**', ...lines.flatMap((line) => wrapped(line, ' * ')), ' */'].join('\n');
}

// Made when it is asked for: it takes longer to make than the rest of the file to load.
function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en').format(names);
}

function body({ notes, statements }: Method): string {
  const lines = [
    ...notes.flatMap(warning),
    ...statements.flatMap((statement) => [...statement.notes.flatMap(warning), added(statement.sql)]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function warning(text: string): string[] {
  return wrapped(`WARNING: ${text}.`, '    // ');
}

function wrapped(text: string, prefix: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > 110) {
      lines.push(line);
      line = word;
    } else {
      line += line === '' ? word : ` ${word}`;
    }
  }
  return [...lines, line].map((one) => `${prefix}${one}`.trimEnd());
}

// One line where it is short; else as formatters leave it, whatever width they have.
function added(sql: string): string {
  const escaped = sql.replaceAll(/[\\`]|\$(?=\{)/g, String.raw`\$&`);
  const line = `    this.addSql(\`${escaped}\`);`;
  if (line.length <= 80 && !escaped.includes('\n')) return line;
  return `    this.addSql(\`\n      ${laidOut(escaped)}\`);`;
}

/** A list's members on lines of their own: the columns of a new table, the changes of one that is there. */
function laidOut(sql: string): string {
  if (sql.startsWith('create table ')) return atCommas(sql, 1);
  return sql.startsWith('alter table ') ? atCommas(sql, 0) : sql;
}

function atCommas(sql: string, depth: number): string {
  let level = 0;
  let text = '';
  for (const [part] of sql.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[^]*?\$\$|, |[^]/g)) {
    if (part === ')' && level-- === 1 && depth === 1) text += '\n      ';
    const broken = part === ', ' && level === depth;
    text += broken ? `,\n        ` : part;
    if (part === '(' && level++ === 0 && depth === 1) text += '\n        ';
  }
  return text;
}
