import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Job } from './script-process.ts';

// Runs scripts one after another, as `node script` would: packages and modules stay loaded, which is most of the time of a short command.

let runs = 0;
let running: { readonly mark: string; settled: boolean } | null = null;

process.on('message', run);
process.on('disconnect', () => process.exit());

// A process ends when nothing is left to wait for. So does a script, and whatever it failed to close keeps it running.
process.on('beforeExit', () => {
  if (!running) return;
  const { mark, settled } = running;
  running = null;
  // As Node does for an `await` on the top level that never settles.
  const code = settled ? (process.exitCode ?? 0) : 13;
  process.exitCode = undefined;
  for (const stream of [process.stdout, process.stderr]) stream.write(`${mark}${code}\n`);
  process.channel?.ref();
});

function run({ script, args, directory, environment, input, mark }: Job): void {
  process.channel?.unref();
  process.chdir(directory);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  process.argv = [process.execPath, script, ...args];
  Object.defineProperty(process, 'stdin', {
    value: Readable.from(input === '' ? [] : [Buffer.from(input, 'base64')]),
    configurable: true,
  });
  const current = { mark, settled: false };
  running = current;
  // With another query, a module is evaluated again. A failure ends this process, as it would end the script's.
  void import(`${pathToFileURL(script).href}?run=${runs++}`).then(() => (current.settled = true));
}
