import { isNativeError } from 'node:util/types';
import { isParking, parkingState } from '../sql/marks/parking-mark.ts';
import { findSqlState } from './find-sql-state.ts';

/** What the driver copies from the server's answer. */
interface ServerError extends Error {
  readonly code: string;
  readonly position?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly dataType?: string;
  readonly internalQuery?: string;
  readonly where?: string;
  readonly routine?: string;
}

// Messages of these classes name statements and objects; those of others may be anything.
const described = /^(?:0A|0L|0P|22|23|25|2B|2D|3D|3F|40|42|53|54|55|57|58)/;

// Messages of these quote values that were converted.
const quotesValues = /^22/;
// Messages of these quote names, which may be values that were looked up or parsed when a statement ran.
const quotesNames = /^(?:3D000|3F000|42601|42602|42704|42883|42P01)/;

/**
 * Describes an error without values of rows. `sent` are the statements that it may come from: of names that may be values, only those
 * that a statement contains are shown.
 */
export function describeServerError(error: unknown, sent: readonly string[]): string {
  if (!isNativeError(error)) return String(error);
  const found = withSqlState(error);
  if (found === null) return error.message;
  const { code, schema, table, column, constraint, dataType, position, internalQuery, where, routine } =
    found;
  const message = serverMessage(found);
  if (code === parkingState && sent.some(isParking)) return message;
  // `raise` may put anything into its message.
  if (!described.test(code) || routine === 'exec_stmt_raise') {
    const named = [table, constraint, column].filter((name) => name !== undefined);
    return named.length > 0 ? `SQLSTATE ${code} (${named.join(', ')})` : `SQLSTATE ${code}`;
  }
  if (quotesValues.test(code)) return `${withoutQuoted(message)} (${code})`;
  const names = [schema, table, column, constraint, dataType].filter((one) => one !== undefined);
  // Code may have built the text from values.
  const isBuilt = /\bEXECUTE\b/.test(where ?? '');
  // The parser refers to a position of the text.
  const isOfText = !isBuilt && (position !== undefined || internalQuery !== undefined);
  const mayNameValues = isBuilt || (quotesNames.test(code) && !isOfText);
  return mayNameValues && !namesOnly(message, [...sent, ...names])
    ? `${withoutQuoted(message).replaceAll(signature, '…(')} (${code})`
    : `${message} (${code})`;
}

/** Returns the error that has a SQLSTATE: this one or a cause; null when none has. */
function withSqlState(error: Error): ServerError | null {
  const state = findSqlState(error);
  if (state === '') return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the driver's error, or the ORM's copy of it
  if ('code' in error && error.code === state) return error as ServerError;
  return isNativeError(error.cause) ? withSqlState(error.cause) : null;
}

// The ORM appends the detail, which has values, and the hint.
function serverMessage({ message }: Error): string {
  const [own = ''] = message.split(/\n - (?:detail|hint): /, 1);
  return own.replaceAll(/\s+/g, ' ');
}

// In any language.
const quotes = /["“”„«»‹›「」『』]/g;

/** Replaces what is between the first and the last quote, because a value may have quotes, and bytes of a value. */
function withoutQuoted(message: string): string {
  const text = message.replaceAll(/0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/gi, '…');
  const found = [...text.matchAll(quotes)].map(({ index }) => index);
  const [first, last] = [found[0], found.at(-1)];
  if (first === undefined || last === undefined) return text;
  return `${text.slice(0, first)}"…"${found.length === 1 ? '' : text.slice(last + 1)}`;
}

// The name of a function that is not found, which is not quoted.
const signature = /\S+\(/g;

/** Whether each quoted part of a message, and each name of a function, is in one of the texts. */
function namesOnly(message: string, texts: readonly string[]): boolean {
  const quoted = message.split(quotes).filter((_, index) => index % 2 === 1);
  const functions = [...message.matchAll(signature)].map(([name]) => name.slice(0, -1));
  return [...quoted, ...functions].every((name) =>
    texts.some((text) => text.toLowerCase().includes(name.toLowerCase())),
  );
}
