import type { Connection } from 'pg';
import { unreadable } from '../errors/connection-failures.ts';

/** What the types of the driver leave out (pg 8.23.0, lib/connection.js): where it begins to read from a socket. */
interface Internals {
  attachListeners(stream: { on(event: string, listener: (...given: unknown[]) => void): unknown }): void;
}

/**
 * Has `connection` end when the server sends what the driver can't read, such as a way to log in that it does not know. The driver
 * throws then, outside any caller's `try`, which would end the process.
 */
export function endOnUnreadable(connection: Connection): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same class, with what its types leave out
  const internals = connection as unknown as Internals;
  const attachListeners = internals.attachListeners.bind(internals);
  internals.attachListeners = (stream) => {
    const guarded = (event: string, listener: (...given: unknown[]) => void) =>
      stream.on(event, (...given: unknown[]) => {
        try {
          listener(...given);
        } catch (cause) {
          connection.stream.destroy(new Error(unreadable, { cause }));
        }
      });
    attachListeners({ on: guarded });
  };
}
