import { isNativeError } from 'node:util/types';
import { findSqlState } from './find-sql-state.ts';

/** What the driver copies from the server's answer. */
interface ServerError extends Error {
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly dataType?: string;
  readonly internalQuery?: string;
  readonly routine?: string;
}

// Messages of these classes name statements and objects; those of others may be anything.
const described = /^(?:0A|0L|0P|22|23|25|2B|2D|3D|3F|40|42|53|54|55|57|58)/;

// Messages of these may quote a value that was read from a row: one that is converted, or looked up as the name of an object.
const quotesValues = /^(?:22|3D000|3F000|42601|42602|42704|42883|42P01)/;

/**
 * Describes an error without values of rows. `sent` are the statements that it may come from: of what the message quotes, only text of
 * these, and names that the server gives separately, are shown.
 */
export function describeServerError(error: unknown, sent: readonly string[]): string {
  if (!isNativeError(error)) return String(error);
  const state = findSqlState(error);
  if (state === '') return error.message;
  const { schema, table, column, constraint, dataType, internalQuery, routine, message }: ServerError = error;
  // `raise` may put anything into its message.
  if (!described.test(state) || routine === 'exec_stmt_raise') {
    const named = [table, constraint, column].filter((name) => name !== undefined);
    return named.length > 0 ? `SQLSTATE ${state} (${named.join(', ')})` : `SQLSTATE ${state}`;
  }
  const names = [schema, table, column, constraint, dataType].filter((name) => name !== undefined);
  const text = quotesValues.test(state)
    ? withoutValues(message, [...sent, ...names, internalQuery ?? ''])
    : message;
  return `${text.replaceAll(/\s+/g, ' ')} (${state})`;
}

/** Returns a message in which quoted text that no known text contains is replaced, and bytes of a value are. */
function withoutValues(message: string, known: readonly string[]): string {
  const isKnown = (quoted: string): boolean =>
    known.some((text) => text.toLowerCase().includes(quoted.toLowerCase()));
  const text = message.replaceAll(/0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/gi, '…');
  const parts = text.split('"');
  // Odd ones are in quotes. From the first unknown one on, the value itself may have quotes.
  const first = parts.findIndex((part, index) => index % 2 === 1 && !isKnown(part));
  if (first < 0) return parts.length % 2 === 1 ? text : `${parts.slice(0, -1).join('"')}"…`;
  return `${parts.slice(0, first).join('"')}"…"${parts.length > first + 2 ? (parts.at(-1) ?? '') : (parts[first + 1] ?? '')}`;
}
