import { parseEnv } from 'node:util';

/** What a `.env` file sets. */
export interface EnvironmentFile {
  readonly values: NodeJS.Dict<string>;
  /** By variable: the line that seems to set it but can't be read. The variable has no value then. */
  readonly faults: NodeJS.Dict<Fault>;
}

interface Fault {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

type Reading = { readonly value: string } | { readonly why: string };

/** The text of a `.env` file: UTF-8, or UTF-16 as Windows writes it. Bytes that are neither become U+FFFD or U+0000. */
export function decodeEnvironment(bytes: Uint8Array): string {
  const [first, second] = bytes;
  // By the byte order mark, or by the halves of a first character of ASCII.
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return decode(bytes, 'utf-16le');
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return decode(bytes, 'utf-16be');
  return decode(bytes, 'utf-8');
}

function decode(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}

/**
 * Reads a `.env` file as Node does, with two differences. A comment behind a value begins with a space, since a password may hold
 * "#". And a line that seems to set one of `variables` is either read as it is meant, or a fault: Node skips what it does not
 * understand, and without its URL a command would run on another database.
 */
export function parseEnvironment(content: string, variables: readonly string[]): EnvironmentFile {
  // Node's parser drops a CR that stands alone.
  const lines = content.split(/\r\n|[\n\r\u0085\u2028\u2029]/);
  const values = parseEnv(lines.join('\n'));
  const patterns = variables.map(patternsOf);
  const own: NodeJS.Dict<{ readonly line: number; readonly value: string }> = {};
  const faults: NodeJS.Dict<Fault> = {};
  for (const [index, text] of lines.entries()) {
    for (const name of variablesSetBy(text, patterns)) {
      const read = readAssignment(name, lines.slice(index));
      const line = index + 1;
      // Of several, the last counts.
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
      faults[name] ??= { line: read.line, why: 'a quote on an earlier line takes it in: close that quote' };
    }
    if (faults[name] === undefined) values[name] = read.value;
  }
  return { values, faults };
}

interface Patterns {
  readonly name: string;
  /** Finds it in what stands before a "=". */
  readonly inName: RegExp;
  /** Finds it set behind another value, as shells allow. */
  readonly behind: RegExp;
}

function patternsOf(name: string): Patterns {
  const loose = name.replaceAll('_', '[\\s_-]+');
  return {
    name,
    inName: new RegExp(`(?<![\\p{L}\\p{N}_.-])${loose}(?![\\p{L}\\p{N}_.-])`, 'iu'),
    behind: new RegExp(`[\\s;]${name}\\s*[=:]`, 'iu'),
  };
}

/** Which variables a line seems to set, however it is written. */
function variablesSetBy(line: string, patterns: readonly Patterns[]): string[] {
  // Without what can't be seen, and with the plain form of letters that have several.
  const visible = line.replaceAll(/[\p{Cf}\uFFFD]|(?!\t)\p{Cc}/gu, '').normalize('NFKC');
  if (/^\s*(?:#|$)/.test(visible)) return [];
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/su.exec(visible) ?? [];
  const letters = name.replaceAll(/[^\p{L}\p{N}]/gu, '').toUpperCase();
  const behind = /^\s*["'`]/.test(value) ? '' : value.replace(/\s#.*$/su, '');
  return patterns
    .filter(
      (pattern) =>
        pattern.inName.test(name) ||
        letters === pattern.name.replaceAll('_', '') ||
        pattern.behind.test(behind),
    )
    .map((pattern) => pattern.name);
}

/** Reads the assignment of `name` on the first of `lines`; a quoted value may go on over the next. */
function readAssignment(name: string, lines: readonly string[]): Reading {
  const [line = ''] = lines;
  if (line.includes('\0')) return { why: 'it holds NUL bytes: save the file as UTF-8' };
  if (line.includes('\uFFFD')) return { why: 'it is not UTF-8: save the file as UTF-8' };
  const start = new RegExp(`^[ \\t]*(?:export +)?${name}[ \\t]*=[ \\t]*`).exec(line)?.[0];
  if (start === undefined) return { why: `write ${name}=value, with nothing else before the "="` };
  const given = lines.join('\n').slice(start.length);
  const quote = /^["'`]/.exec(given)?.[0];
  if (quote !== undefined) {
    const quoted = new RegExp(`^${quote}[^${quote}]*${quote}(?=[ \\t]*(?:#[^\\n]*)?(?:\\n|$))`).exec(
      given,
    )?.[0];
    return quoted === undefined
      ? { why: `its value begins with ${quote}: end it with ${quote}, and write nothing behind that` }
      : visibly(parseEnv(`${name}=${quoted}`)[name] ?? '');
  }
  const value = line
    .slice(start.length)
    .replace(/(?:^|[ \t]+)#.*$/, '')
    .replace(/[ \t]+$/, '');
  if (/["'`]$/.test(value)) return { why: 'its value ends with a quote that it does not begin with' };
  if (/\s\w+=/.test(value)) return { why: 'it holds a second assignment: write one on each line' };
  return visibly(value);
}

/** A value, unless it holds typographic quotes, as word processors write them, or what can't be seen. */
function visibly(value: string): Reading {
  if (/^[\u2018-\u201f\u00ab\u00bb]|[\u2018-\u201f\u00ab\u00bb]$/.test(value)) {
    return { why: 'it has typographic quotes: write plain ones, or none' };
  }
  // A blank value is another fault, which whoever asks for it reports. Tabs and line breaks separate the URLs of replicas.
  if (value.trim() !== '' && /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]|(?! )\p{Zs}/u.test(value)) {
    return { why: 'its value holds a character that is not visible: type it again' };
  }
  return { value };
}
