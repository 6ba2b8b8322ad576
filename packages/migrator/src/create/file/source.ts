import { parseBackfill, type Backfill } from '../../files/backfill.ts';
import { scanSql } from '../../sql/scan-sql.ts';
import { joinNames } from './join-names.ts';
import type { Naming } from './naming.ts';

/** A statement and its warnings. */
export interface AnnotatedStatement {
  readonly sql: string;
  readonly notes: readonly string[];
  /** Warnings of locks, which a safe form does not take. */
  readonly locks?: readonly string[];
}

/** One direction of a created migration. */
export interface Method {
  /** Warnings about the whole direction. */
  readonly notes: readonly string[];
  /** Those of locks, which a safe form does not take. */
  readonly locks?: readonly string[];
  readonly statements: readonly AnnotatedStatement[];
}

/** The existing tables that a migration locks: those that it changes, and others that its new tables refer to. */
export interface LockedTables {
  readonly changed: readonly string[];
  readonly referred: readonly string[];
}

/** The entries of `static loses` and `static refuses` of a created migration. */
export interface Declared {
  readonly loses: readonly string[];
  readonly refuses: readonly string[];
}

/** The content of a created migration. */
export interface Content {
  readonly up: Method;
  readonly down: Method;
  /** Whether it runs statement by statement. Default false. */
  readonly apart?: boolean;
  /** What it does, as the start of a sentence. */
  readonly summary: string;
  /** Existing tables that it locks. */
  readonly locked: LockedTables;
  /** Sentences on what each direction loses, refuses or changes. */
  readonly declarations: readonly string[];
  /** The same for `verify`, by table and column. */
  readonly declared: Declared;
  /** The reasons for which rules of `lint` don't hold, by rule: its `static lint`. */
  readonly lint?: Readonly<Record<string, string>>;
}

/** Returns the source of a migration, formatted. */
export async function sourceOf({ className, name, form }: Naming, content: Content): Promise<string> {
  const typed = form === 'typescript';
  const [override, returns] = typed ? ['override ', ': void'] : ['', ''];
  const method = async (direction: 'up' | 'down') =>
    `  ${override}${direction}()${returns} {\n${await body(content[direction])}  }\n`;
  const fills = [...content.up.statements, ...content.down.statements].some(({ sql }) => parseBackfill(sql));
  const names = [
    ['Migration', '@mikro-orm/migrations'],
    ...(fills ? [['backfill', 'mikro-orm-safe-migrations']] : []),
  ];
  const imported =
    form === 'commonjs'
      ? `'use strict';\n\n${names.map(([what, from]) => `const { ${what} } = require('${from}');`).join('\n')}`
      : names.map(([what, from]) => `import { ${what} } from '${from}';`).join('\n');
  const exported = form === 'commonjs' ? `\nexports.${className} = ${className};\n` : '';
  return `${imported}

${docstring(content)}
${form === 'commonjs' ? '' : 'export '}class ${className} extends Migration {
  ${override}name = '${name}';
${declaredLists(content, typed)}${silences(content, typed)}
${content.apart ? `  ${override}isTransactional()${typed ? ': boolean' : ''} {\n    return false;\n  }\n\n` : ''}${await method('up')}
${await method('down')}}
${exported}`;
}

function declaredLists({ declared }: Content, typed: boolean): string {
  return (['loses', 'refuses'] as const)
    .map((kind) =>
      declared[kind].length === 0
        ? ''
        : `  static ${typed ? 'readonly ' : ''}${kind} = [\n` +
          // The comment keeps formatters from joining the lines.
          `    // Compared with what \`verify\` finds.\n` +
          declared[kind].map((text) => `    ${literal(text)},\n`).join('') +
          '  ];\n',
    )
    .join('');
}

// In the quotes that formatters choose.
function literal(text: string): string {
  return text.includes("'") && !text.includes('"')
    ? `"${text.replaceAll('\\', '\\\\')}"`
    : `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}

function silences({ lint = {} }: Content, typed: boolean): string {
  const reasons = Object.entries(lint).map(([rule, reason]) => `    '${rule}': ${literal(reason)},\n`);
  return reasons.length === 0
    ? ''
    : `  static ${typed ? 'readonly ' : ''}lint = {\n${reasons.join('')}  };\n`;
}

function docstring({ summary, locked, declarations, apart = false }: Content): string {
  const { changed, referred } = locked;
  const until = apart ? 'for a moment, several times' : 'until it has committed';
  const lines = [
    `${summary}.`,
    '',
    ...(changed.length === 0 ? [] : [`Locks: can stop reads and writes of ${joinNames(changed)} ${until}.`]),
    ...(referred.length === 0
      ? []
      : [`Locks: stops writes to ${joinNames(referred)}, which it refers to, ${until}.`]),
    ...(changed.length + referred.length === 0 ? ['Locks: nothing that was there before.'] : []),
    ...declarations,
  ];
  // A name may end the comment.
  const safe = lines.map((line) => line.replaceAll('*/', '* /'));
  return ['/**', ...safe.flatMap((line) => wrapped(line, ' * ')), ' */'].join('\n');
}

async function body(method: Method): Promise<string> {
  const lines = notesOf(method).flatMap(warning);
  for (const statement of method.statements)
    lines.push(...notesOf(statement).flatMap(warning), await addSqlCall(statement.sql));
  return lines.map((line) => `${line}\n`).join('');
}

/** Returns all warnings about a direction, or a statement. */
export function notesOf({ notes, locks = [] }: Pick<Method, 'notes' | 'locks'>): string[] {
  return [...notes, ...locks];
}

function warning(text: string): string[] {
  return wrapped(`WARNING: ${text}.`, '    // ');
}

function wrapped(text: string, prefix: string): string[] {
  const lines: string[] = [];
  let line = '';
  // A statement in it may have line ends, which would end a comment.
  for (const word of text.split(/\s+/)) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > 110) {
      lines.push(line);
      line = word;
    } else {
      line += line === '' ? word : ` ${word}`;
    }
  }
  return [...lines, line].map((one) => `${prefix}${one}`.trimEnd());
}

// On one line if it is short; else in a layout that formatters of any width keep.
async function addSqlCall(sql: string): Promise<string> {
  const filling = parseBackfill(sql);
  if (filling) return backfillCall(filling);
  const line = `    this.addSql(\`${escaped(sql)}\`);`;
  if (line.length <= 80 && !line.includes('\n')) return line;
  return `    this.addSql(\`\n      ${escaped(await layOut(sql))}\`);`;
}

function backfillCall({ table, by, set, where }: Backfill): string {
  const options = [
    `by: ${by.length === 1 ? literal(by[0] ?? '') : `[${by.map(literal).join(', ')}]`}`,
    `set: \`${escaped(set)}\``,
    ...(where === null ? [] : [`where: \`${escaped(where)}\``]),
  ];
  return `    this.addSql(\n      backfill(${literal(table)}, {\n${options.map((one) => `        ${one},\n`).join('')}      }),\n    );`;
}

function escaped(sql: string): string {
  // A template reads \r\n and \r as \n.
  return sql.replaceAll(/[\\`]|\$(?=\{)/g, String.raw`\$&`).replaceAll('\r', String.raw`\r`);
}

/** Puts each member of a list on a separate line: the columns of a new table, the changes of an existing one. */
async function layOut(sql: string): Promise<string> {
  if (sql.startsWith('create table ')) return atCommas(sql, 1);
  return sql.startsWith('alter table ') ? atCommas(sql, 0) : sql;
}

async function atCommas(sql: string, depth: number): Promise<string> {
  const tokens = await scanSql(sql);
  if (!tokens) return sql;
  let level = 0;
  let output = '';
  let isBroken = false;
  for (const { gap, text } of tokens) {
    output += isBroken && gap === ' ' ? '\n        ' : gap;
    if (text === ')' && level-- === 1 && depth === 1) output += '\n      ';
    output += text;
    isBroken = text === ',' && level === depth;
    if (text === '(' && level++ === 0 && depth === 1) output += '\n        ';
  }
  return output;
}
