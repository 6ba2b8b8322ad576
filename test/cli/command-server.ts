import { createServer, type Server, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { synthdb } from './run.ts';

/** What `served-main.ts` sends: a command as its process was given it. */
interface Command {
  readonly args: string[];
  readonly directory: string;
  readonly environment: Record<string, string>;
}

/** Runs `synthdb` for each connection to a socket, which sends a command and is answered with its `Run`. */
export async function serveCommands(socket: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (connection) => void answer(connection));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

async function answer(connection: Socket): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other side is our own
  const { args, directory, environment } = (await json(connection)) as Command;
  connection.end(JSON.stringify(await synthdb(args, directory, environment)));
}
