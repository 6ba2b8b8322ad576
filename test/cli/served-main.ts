import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Run } from './run.ts';

// The `synthdb` of a checkout that tests made: it has the command run where it costs little, or runs it itself.

const { COMMAND_SERVER: socket, ...environment } = process.env;
if (socket) {
  const connection = createConnection(socket);
  connection.end(JSON.stringify({ args: process.argv.slice(2), directory: process.cwd(), environment }));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's answer
  const { code, stdout, stderr } = JSON.parse(await text(connection)) as Run;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
} else {
  await import('../../src/cli/main.ts');
}
