import type { Socket } from 'node:net';
import { Writable } from 'node:stream';

// The state of a COPY or a cursor, queries of the driver that are objects. Their types lack it.

/** Returns whether a query is a COPY that accepts more rows. */
export function acceptsCopyData(statement: object | undefined): statement is Writable {
  if (!(statement instanceof Writable) || statement.writableEnded || statement.destroyed) return false;
  // A COPY has a connection from when it is sent until the server has refused it.
  return 'connection' in statement && statement.connection !== null;
}

/** Returns whether the server waits for the client: between two fetches of a cursor, or for more rows of a COPY. */
export function waitsForClient(statement: object | undefined, socket: Socket): boolean {
  // The stream is corked until the server requests rows.
  if (acceptsCopyData(statement))
    return statement.writableCorked + statement.writableLength + socket.writableLength === 0;
  return statement !== undefined && 'state' in statement && statement.state === 'idle';
}
