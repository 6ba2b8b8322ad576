import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { serveCommands } from './command-server.ts';
import type { Run } from './run.ts';
import { onTerminal, type Seen } from './terminal.ts';

const root = join(import.meta.dirname, '../..');
// `-o` ignores the times of these files: nothing is installed or compiled.
const command = ['make', '-o', 'node_modules/.package-lock.json', '-o', 'packages/migrator/dist/index.js'];

/** A checkout of the project with a separate `.data`, in which tests run `make` as a user would. */
export class Checkout {
  readonly directory: string;
  readonly #commands: Server | null;

  private constructor(directory: string, commands: Server | null = null) {
    this.directory = directory;
    this.#commands = commands;
  }

  static async create(): Promise<Checkout> {
    const directory = await linkCheckout();
    await mkdir(join(directory, 'src/cli'), { recursive: true });
    await symlink(join(import.meta.dirname, 'served-main.ts'), join(directory, 'src/cli/main.ts'));
    return new Checkout(directory, await serveCommands(socketIn(directory)));
  }

  /** Creates a checkout whose `synthdb` only prints its arguments, as a JSON array: starting the real one takes most of the time. */
  static async createEchoing(): Promise<Checkout> {
    const directory = await linkCheckout();
    const cli = join(directory, 'src/cli');
    await mkdir(cli, { recursive: true });
    await writeFile(join(cli, 'main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)));');
    return new Checkout(directory);
  }

  /** Runs `make` without a terminal. What it starts has the command run by a process that has run others. */
  makeServed(args: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
    return this.make(args, { ...environment, COMMAND_SERVER: socketIn(this.directory) });
  }

  /** Runs `make` without a terminal. */
  make(args: readonly string[], environment: Record<string, string> = {}): Promise<Run> {
    const [program = '', ...given] = [...command, ...args];
    return new Promise((resolve) => {
      const child = execFile(
        program,
        given,
        {
          cwd: this.directory,
          // It is no clone, where the embedded server would be the default without a terminal.
          env: { PATH: process.env['PATH'], NODE_ENV: 'development', ...environment },
        },
        (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  /** Runs `make` on a terminal whose user types `keys` when asked. */
  makeOnTerminal(args: readonly string[], environment: Record<string, string>, keys: string): Promise<Seen> {
    return onTerminal([...command, ...args], { environment, directory: this.directory, keys });
  }

  /** The embedded server of the checkout, started. */
  server(): Promise<EmbeddedPostgres> {
    return EmbeddedPostgres.start({ directory: join(this.directory, '.data', 'postgres') });
  }

  async remove(): Promise<void> {
    if (this.#commands) await once(this.#commands.close(), 'close');
    await EmbeddedPostgres.remove({ directory: join(this.directory, '.data', 'postgres') });
    await rm(this.directory, { recursive: true, force: true });
  }
}

function socketIn(directory: string): string {
  return join(directory, 'commands.socket');
}

async function linkCheckout(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'checkout-'));
  // For the user that the embedded server runs as.
  await chmod(directory, 0o755);
  for (const name of ['Makefile', 'package.json', 'package-lock.json', 'node_modules', 'packages'])
    await symlink(join(root, name), join(directory, name));
  return directory;
}
