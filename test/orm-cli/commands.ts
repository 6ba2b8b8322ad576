import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Run } from '../cli/run.ts';
import type { Project } from './projects.ts';

/** How the ORM's command line loads TypeScript: by a package of that name, or by Node alone. */
export type Loader = 'jiti' | 'node';

/** Both command lines of a project, on one database. */
export class Commands {
  readonly #project: Project;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(project: Project, url: string, loader: Loader) {
    this.#project = project;
    this.#environment = {
      PATH: process.env['PATH'],
      NO_COLOR: '1',
      DATABASE_URL: url,
      ...(loader === 'node' ? { MIKRO_ORM_CLI_PREFER_TS: '0' } : { MIKRO_ORM_CLI_TS_LOADER: loader }),
    };
  }

  /** Runs `mikro-orm` with these arguments. */
  orm(...args: string[]): Promise<Run> {
    // Not by way of a link in .bin: npm's differs from a checkout's.
    return this.#run(join(this.#project.directory, 'node_modules/@mikro-orm/cli/cli.js'), args);
  }

  /** Runs `synthdb migrate` with these arguments. */
  ours(...args: string[]): Promise<Run> {
    return this.#run(this.#project.synthdb, ['migrate', ...args]);
  }

  #run(script: string, args: readonly string[]): Promise<Run> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [script, ...args],
        { cwd: this.#project.directory, env: this.#environment },
        (error, stdout, stderr) => resolve({ code: error ? (child.exitCode ?? -1) : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  }
}
