import { parseEnv } from 'node:util';

/** What a `.env` file sets. */
export interface EnvironmentFile {
  readonly values: NodeJS.Dict<string>;
  /** The faulty line that seems to set a variable, keyed by the variable. A variable with a fault has no value. */
  readonly faults: NodeJS.Dict<Fault>;
}

interface Fault {
  /** The number of the line, from 1. */
  readonly line: number;
  readonly why: string;
}

type AssignmentResult = { readonly value: string } | { readonly why: string };

/**
 * Parses a `.env` file as Node does, with two differences. A comment after a value must follow a space, since a password may contain "#".
 * A line that seems to set one of `variables` and can't be read is a fault: Node skips it, and without its URL a command would run on
 * another database.
 */
export function parseEnvironment(content: string, variables: readonly string[]): EnvironmentFile {
  // A file in UTF-16 or UTF-32 has NUL between characters.
  const isUtf8 = !content.includes('\0');
  // Node's parser drops a lone CR.
  const lines = content.replaceAll('\0', '').split(/\r\n|[\n\r\u0085\u2028\u2029]/);
  const values = parseEnv(lines.join('\n'));
  const patterns = variables.map(patternsOf);
  const own: NodeJS.Dict<{ readonly line: number; readonly value: string }> = {};
  const faults: NodeJS.Dict<Fault> = {};
  for (const [index, text] of lines.entries()) {
    for (const name of variablesSetBy(text, patterns)) {
      const read = isUtf8
        ? readAssignment(name, lines.slice(index))
        : { why: 'the file is not UTF-8; save it as UTF-8' };
      const line = index + 1;
      // The last assignment wins.
      if ('value' in read) own[name] = { line, value: read.value };
      else faults[name] ??= { line, why: read.why };
    }
  }
  for (const name of variables) {
    const parsed = values[name];
    delete values[name];
    const read = own[name];
    if (read === undefined) continue;
    if (parsed === undefined || !read.value.startsWith(parsed)) {
      faults[name] ??= {
        line: read.line,
        why: 'an unclosed quote on an earlier line includes it; close that quote',
      };
    }
    if (faults[name] === undefined) values[name] = read.value;
  }
  return { values, faults };
}

interface Patterns {
  readonly name: string;
  /** Matches the variable in the text before a "=". */
  readonly inName: RegExp;
  /** Matches an assignment after another value, as shells allow. */
  readonly behind: RegExp;
}

function patternsOf(name: string): Patterns {
  return {
    name,
    inName: new RegExp(`(?<![\\p{L}\\p{N}_.-])${name}(?![\\p{L}\\p{N}_.-])`, 'iu'),
    behind: new RegExp(`[\\s;]${name}\\s*[=:]`, 'iu'),
  };
}

/** Returns the variables that a line seems to set, in any notation. */
function variablesSetBy(line: string, patterns: readonly Patterns[]): string[] {
  if (/^\s*(?:#|$)/.test(line)) return [];
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/su.exec(line) ?? [];
  const behind = /^\s*["'`]/.test(value) ? '' : value.replace(/\s#.*$/su, '');
  return patterns
    .filter((pattern) => pattern.inName.test(name) || pattern.behind.test(behind))
    .map((pattern) => pattern.name);
}

/** Reads the assignment of `name` in the first of `lines`; a quoted value may span the next ones. */
function readAssignment(name: string, lines: readonly string[]): AssignmentResult {
  const [line = ''] = lines;
  if (line.includes('\uFFFD')) return { why: 'it is not valid UTF-8; save the file as UTF-8' };
  const start = new RegExp(`^[ \\t]*(?:export +)?${name}[ \\t]*=[ \\t]*`).exec(line)?.[0];
  if (start === undefined) return { why: `it is not an assignment; write ${name}=value` };
  const given = lines.join('\n').slice(start.length);
  const quote = /^["'`]/.exec(given)?.[0];
  if (quote !== undefined) {
    const quoted = new RegExp(`^${quote}[^${quote}]*${quote}(?=[ \\t]*(?:#[^\\n]*)?(?:\\n|$))`).exec(
      given,
    )?.[0];
    return quoted === undefined
      ? { why: `the quote ${quote} is not closed at the end of the value; close it, with nothing after it` }
      : { value: parseEnv(`${name}=${quoted}`)[name] ?? '' };
  }
  const value = line
    .slice(start.length)
    .replace(/(?:^|[ \t]+)#.*$/, '')
    .replace(/[ \t]+$/, '');
  if (/["'`]$/.test(value)) return { why: 'the closing quote has no opening quote; add it, or remove both' };
  if (/\s\w+=/.test(value)) return { why: 'it has a second assignment; write one per line' };
  return { value };
}
