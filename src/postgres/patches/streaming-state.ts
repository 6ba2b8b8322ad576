import type { Socket } from 'node:net';
import { Writable } from 'node:stream';

// A query of the driver that is not a text: a cursor, or a COPY. Their types don't have their progress.

/** Whether it is a COPY that may be given more rows. */
export function acceptsCopyData(statement: object | undefined): statement is Writable {
  if (!(statement instanceof Writable) || statement.writableEnded || statement.destroyed) return false;
  // There is one from when it is sent until the server has refused it.
  return 'connection' in statement && statement.connection !== null;
}

/** Whether the server waits for us: between two fetches of a cursor, or when it has all the rows of a COPY that there were so far. */
export function waitsForClient(statement: object | undefined, socket: Socket): boolean {
  // Corked until the server asks for rows.
  if (acceptsCopyData(statement))
    return statement.writableCorked + statement.writableLength + socket.writableLength === 0;
  return statement !== undefined && 'state' in statement && statement.state === 'idle';
}
