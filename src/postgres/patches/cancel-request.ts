import { TLSSocket } from 'node:tls';
import { Connection, type Client, type ConnectionConfig } from 'pg';

/** The driver's connection, with what its types leave out. */
class CancelConnection extends Connection {
  declare connect: (port: number | string, host?: string) => void;
  declare requestSsl: () => void;
  declare cancel: (processID: number, secretKey: number) => void;
}

/**
 * Asks the server of `client` to cancel the statement that runs there, as the protocol demands: on a separate connection, encrypted as
 * the client's is, with the key that the server gave to the client. A pooler passes it on to the server that runs the statement.
 *
 * Resolves when the server has taken it in, and then sends nothing late; also when it can't be reached. Destroyed when `enough` is
 * aborted.
 */
export function requestCancel(
  client: Client,
  [processID, secretKey]: readonly [processID: number, secretKey: number],
  enough: AbortSignal,
): Promise<void> {
  const isEncrypted = client.connection.stream instanceof TLSSocket;
  const ssl: NonNullable<ConnectionConfig['ssl']> = isEncrypted && client.ssl;
  const connection = new CancelConnection({ ssl });
  return new Promise((resolve) => {
    // The server answers by closing it. Any other end needs no action.
    connection.on('error', () => connection.stream.destroy());
    connection.once('end', resolve);
    enough.addEventListener('abort', () => connection.stream.destroy());
    connection.on('connect', () => {
      if (isEncrypted) connection.requestSsl();
      else connection.cancel(processID, secretKey);
    });
    connection.on('sslconnect', () => connection.cancel(processID, secretKey));
    if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`);
    else connection.connect(client.port, client.host);
  });
}
