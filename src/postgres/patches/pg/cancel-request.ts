import { Connection, type Client, type ConnectionConfig } from 'pg';

/** The driver's connection, with methods that its types lack. */
class CancelConnection extends Connection {
  declare connect: (port: number | string, host?: string) => void;
  declare requestSsl: () => void;
  declare cancel: (processID: number, secretKey: number) => void;
}

/**
 * Sends the protocol's cancel request for the running statement of `client`: on a separate connection, encrypted if the client's is, with the
 * key that the server sent to the client. A pooler forwards it to the server that runs the statement.
 *
 * Resolves when the server has received it, when the server can't be reached, or when `signal` is aborted.
 */
export function requestCancel(
  client: Client,
  [processID, secretKey]: readonly [processID: number, secretKey: number],
  signal: AbortSignal,
): Promise<void> {
  // Only a TLS socket has it. Node loads its TLS module with the first one.
  const isEncrypted = 'encrypted' in client.connection.stream;
  const ssl: NonNullable<ConnectionConfig['ssl']> = isEncrypted && client.ssl;
  const connection = new CancelConnection({ ssl });
  return new Promise((resolve) => {
    // The server answers by closing the connection. Any other end needs no action.
    connection.on('error', () => connection.stream.destroy());
    connection.once('end', resolve);
    signal.addEventListener('abort', () => connection.stream.destroy());
    connection.on('connect', () => {
      if (isEncrypted) connection.requestSsl();
      else connection.cancel(processID, secretKey);
    });
    connection.on('sslconnect', () => connection.cancel(processID, secretKey));
    if (client.host.startsWith('/')) connection.connect(`${client.host}/.s.PGSQL.${client.port}`);
    else connection.connect(client.port, client.host);
  });
}
