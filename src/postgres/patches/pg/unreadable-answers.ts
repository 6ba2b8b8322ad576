import type { Connection } from 'pg';
import { unreadableAnswer } from '../../errors/connection-failures.ts';

/** A method that is missing from the driver's types (pg 8.23.0, lib/connection.js): it begins to read from a socket. */
interface Internals {
  attachListeners(stream: { on(event: string, listener: (...given: unknown[]) => void): unknown }): void;
}

/**
 * Makes `connection` end when the server sends a message that the driver can't read, such as an unknown authentication method. The driver
 * throws then, outside any caller's `try`, which would end the process.
 */
export function endOnUnreadable(connection: Connection): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same class, with a method that its types lack
  const internals = connection as unknown as Internals;
  const attachListeners = internals.attachListeners.bind(internals);
  internals.attachListeners = (stream) => {
    const guarded = (event: string, listener: (...given: unknown[]) => void) =>
      stream.on(event, (...given: unknown[]) => {
        try {
          listener(...given);
        } catch (cause) {
          connection.stream.destroy(new Error(unreadableAnswer, { cause }));
        }
      });
    attachListeners({ on: guarded });
  };
}
