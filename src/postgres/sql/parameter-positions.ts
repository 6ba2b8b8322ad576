import { SqlScanner } from './sql-scanner.ts';
import { StatementPosition } from './statement-position.ts';
import type { Template } from './placeholders.ts';

// A value in the scanned text; no value has more than one character of digits.
const parameter = '$1';
const name = '"n"';

const statements: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'with', 'values']);

/**
 * Returns for each placeholder of a statement whether PostgreSQL accepts a parameter there and reads it as it reads a literal of the same
 * value. False where that is not certain: as an argument of a function, where the type of a parameter may be unknown, behind a type, as in
 * `interval ?`, and where the same expression may be repeated, as in lists of `select` and `group by`. False for all placeholders of several
 * statements, and of a statement other than a query or a change.
 */
export function parameterPositions({ texts, placeholders }: Template): readonly boolean[] {
  const none = placeholders.map(() => false);
  let text = texts[0] ?? '';
  const starts: number[] = [];
  for (const [index, placeholder] of placeholders.entries()) {
    starts.push(text.length);
    text += (placeholder === 'value' ? parameter : name) + (texts[index + 1] ?? '');
  }
  const found = [...none];
  const position = new StatementPosition();
  const scanner = new SqlScanner(text);
  let next = 0;
  // The last placeholder, until what follows it is known.
  let open: { readonly index: number; readonly end: number } | undefined;
  let isFirstWord = true;
  let isComplete = false;
  while (scanner.next()) {
    const { kind, start, end } = scanner;
    let isPlaceholder = false;
    for (; next < starts.length && (starts[next] ?? 0) < end; next++) {
      isPlaceholder =
        kind === 'parameter' && starts[next] === start && end === start + parameter.length && !isPlaceholder;
      if (isPlaceholder && position.acceptsParameter) found[next] = true;
    }
    if (kind === 'space' || kind === 'comment') continue;
    const written = text.slice(start, end);
    // Another parameter, a second statement, or a string whose end depends on a setting of the session.
    if (kind === 'parameter' && !isPlaceholder) return none;
    if (isComplete || (kind === 'string' && endDependsOnSetting(written))) return none;
    if (open && !mayFollow(kind, written, start === open.end)) found[open.index] = false;
    open = isPlaceholder ? { index: next - 1, end } : undefined;
    if (kind === 'word' && isFirstWord) {
      if (!statements.has(written.toLowerCase())) return none;
      isFirstWord = false;
    }
    isComplete = written === ';';
    if (!position.move(kind, written)) return none;
  }
  return scanner.isOpen ? none : found;
}

/** Returns whether a string ends at another quote where `standard_conforming_strings` is off. */
function endDependsOnSetting(string: string): boolean {
  return string.includes(String.raw`\'`) && !/^[Ee$]/.test(string);
}

/** Returns whether a token can follow a parameter as it can follow a literal. */
function mayFollow(kind: string, text: string, isAdjacent: boolean): boolean {
  // The type of the parameter in `? is null` would be unknown.
  if (kind === 'word') return !isAdjacent && !/^(?:is|isnull|notnull)$/i.test(text);
  if (kind === 'operator') return true;
  return kind === 'sign' && (text === ')' || text === ',' || text === ';');
}
