import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };

const migrator = join(import.meta.dirname, '../..');
const modules = join(migrator, '../../node_modules');
const run = promisify(execFile);
const commandLine = 'node_modules/mikro-orm-safe-migrations/dist/cli/main.js';

// Where compiled modules are kept changes no result, only the time.
const { PATH, NODE_COMPILE_CACHE } = process.env;

/** Whether this machine can run a command on a terminal. */
export const hasTerminals = spawnSync('script', ['--version']).status === 0;

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project in a temporary directory with the packed migrator, and without @mikro-orm/cli, which is optional. */
export class InstalledProject implements AsyncDisposable {
  readonly directory: string;
  /** The environment of commands, besides `PATH`. */
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.directory = directory;
    this.#environment = environment;
  }

  /** Creates a project with these files, by their paths. */
  static async create(
    files: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>>,
  ): Promise<InstalledProject> {
    const directory = await mkdtemp(join(await realpath(tmpdir()), 'safe-migrations-'));
    const project = new InstalledProject(directory, environment);
    const installed = join(directory, 'node_modules/mikro-orm-safe-migrations');
    await mkdir(installed, { recursive: true });
    const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory];
    const { stdout } = await run('npm', pack, { cwd: migrator });
    await run('tar', ['-xzf', join(directory, stdout.trim()), '-C', installed, '--strip-components=1']);
    const peers = ['core', 'migrations', 'postgresql'].map((name) => `@mikro-orm/${name}`);
    for (const name of [...peers, 'kysely', ...Object.keys(manifest.dependencies)]) await project.#link(name);
    await project.write('package.json', '{ "type": "module" }');
    for (const [path, text] of Object.entries(files)) await project.write(path, text);
    return project;
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.directory, path)), { recursive: true });
    await writeFile(join(this.directory, path), text);
  }

  /** Returns the names of the migrations in a folder, in order. */
  async migrationsIn(folder: string): Promise<string[]> {
    const files = await readdir(join(this.directory, folder));
    return files.map((file) => file.replace('.ts', '')).toSorted();
  }

  /** Runs `safe-migrations`, with nothing in its environment but that of the project. */
  run(...args: string[]): Promise<Ended> {
    return this.runWith({}, ...args);
  }

  /** Runs `safe-migrations` with more in its environment. */
  runWith(more: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [commandLine, ...args],
        { cwd: this.directory, env: { PATH, NODE_COMPILE_CACHE, ...this.#environment, ...more } },
        (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }

  /** Runs `safe-migrations` on a terminal. Once it has printed `prompt`, types `answer`. */
  async runOnTerminal(
    {
      prompt,
      answer,
      more,
    }: { readonly prompt: string; readonly answer: string; readonly more: Readonly<Record<string, string>> },
    ...args: string[]
  ): Promise<{ readonly code: number | null; readonly sent: string }> {
    const line = [process.execPath, commandLine, ...args];
    const terminal = spawn('script', ['-qec', line.join(' '), '/dev/null'], {
      cwd: this.directory,
      env: { PATH, NODE_COMPILE_CACHE, TERM: 'xterm', ...this.#environment, ...more },
    });
    let sent = '';
    let asked = false;
    terminal.stdout.on('data', (data: Buffer) => {
      sent += data.toString();
      if (asked || !sent.includes(prompt)) return;
      asked = true;
      terminal.stdin.write(answer);
    });
    await once(terminal, 'close');
    return { code: terminal.exitCode, sent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true });
  }

  async #link(name: string): Promise<void> {
    const path = join(this.directory, 'node_modules', name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(modules, name), path);
  }
}
