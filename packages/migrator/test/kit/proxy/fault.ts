import { message, type Message } from './message.ts';

/** A fault of a connection. */
export type Break =
  /** Both sides see the other close. */
  | 'cut'
  /** The client's socket is reset; the server sees the client close. */
  | 'reset'
  /** Nothing is passed on, and no side sees a close. */
  | 'silent'
  /** The server sees the client close; the client does not. */
  | 'half-open';

/** A fault at a statement, which replaces its normal forwarding. */
export type Fault =
  | Break
  /** The server runs a failing statement in its place. The client gets the SQLSTATE `XX000`, or the given one. */
  | 'error'
  | { readonly error: string }
  /**
   * The server executes it, but the client gets an error of this SQLSTATE and severity in place of the answer. Then the connection ends, as
   * after a FATAL, except with `acceptsStatements`.
   */
  | { readonly answer: string; readonly severity: string; readonly acceptsStatements?: boolean }
  /** It is forwarded when the promise has resolved; later messages on the connection wait for it. */
  | { readonly after: () => Promise<void> }
  /** The server executes it, but the connection is cut before its answer arrives. */
  | 'cut after sending'
  /** A COPY begins, but the connection is cut at its first data from the client. */
  | 'cut while copying';

// The name of a column and a portal that no database has. The server's error contains it.
const nothing = 'no such thing: a fault was injected';

/** Returns a query that runs `statements` and then fails. */
export function failingQuery(statements: readonly string[]): Buffer {
  return message('Q', [...statements, `select "${nothing}"`].join('\n;'));
}

/** Returns an execute that fails. */
export function failingExecute(): Buffer {
  return message('E', nothing, Buffer.alloc(4));
}

/** Returns whether a message of the server is the error of one of these. */
export function isInjected({ type, body }: Message): boolean {
  return type === 'E' && body.includes(nothing);
}

/** Returns the error that the client gets in its place. */
export function injectedError(fault: Fault | undefined): Buffer {
  const code = typeof fault === 'object' && 'error' in fault ? fault.error : 'XX000';
  return errorMessage(code, 'ERROR');
}

/** Returns an error of the server, whose severity is in the server's language. */
export function errorMessage(code: string, severity: string): Buffer {
  return message('E', `S${severity}`, `C${code}`, 'Ma fault was injected', '');
}
