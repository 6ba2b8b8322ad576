import { message, type Message } from './message.ts';

/** What breaks a connection as it stands. */
export type Break =
  /** Both sides see the other close. */
  | 'cut'
  /** The client's socket is reset; the server sees the client close. */
  | 'reset'
  /** Nothing is passed on, and no side sees a close. */
  | 'silent'
  /** The server sees the client close; the client does not. */
  | 'half-open';

/** What happens to a statement instead of being passed on. */
export type Fault =
  | Break
  /** The server runs something else in its place, which fails: with `XX000`, unless a SQLSTATE is given. */
  | 'error'
  | { readonly error: string }
  /**
   * The server carries it out, but the client gets an error of this SQLSTATE and severity in place of the answer. Then the connection
   * ends, as after a FATAL, unless the server `goesOn`.
   */
  | { readonly answer: string; readonly severity: string; readonly goesOn?: boolean }
  /** It is passed on once that has ended; what follows it on its connection waits with it. */
  | { readonly after: () => Promise<void> }
  /** The server carries it out, but the connection is cut before its answer arrives. */
  | 'cut after sending'
  /** A COPY begins, but the connection is cut when its first data come from the client. */
  | 'cut while copying';

// Names a column and a portal that no database has; the server's own error tells that it was asked for it.
const nothing = 'no such thing: a fault was injected';

/** A query that runs `statements` and then fails. */
export function failingQuery(statements: readonly string[]): Buffer {
  return message('Q', [...statements, `select "${nothing}"`].join('\n;'));
}

/** An execute that fails. */
export function failingExecute(): Buffer {
  return message('E', nothing, Buffer.alloc(4));
}

/** Whether the server says that one of these failed. */
export function isInjected({ type, body }: Message): boolean {
  return type === 'E' && body.includes(nothing);
}

/** The error that the client gets in its place. */
export function injectedError(fault: Fault | undefined): Buffer {
  const code = typeof fault === 'object' && 'error' in fault ? fault.error : 'XX000';
  return errorMessage(code, 'ERROR');
}

/** An error of the server, whose severity is in the server's language. */
export function errorMessage(code: string, severity: string): Buffer {
  return message('E', `S${severity}`, `C${code}`, 'Ma fault was injected', '');
}
