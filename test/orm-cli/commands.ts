import { join } from 'node:path';
import { ScriptPool } from '../processes/script-pool.ts';
import type { Run, Script } from '../processes/script-process.ts';
import { startScript } from '../processes/start-script.ts';
import type { Project } from './projects.ts';

/** How the ORM's command line loads TypeScript: by a package of that name, or by Node alone. */
export type Loader = 'jiti' | 'node';

/**
 * Both command lines of a project, on one database. A process of theirs runs several commands, and keeps the sources that it has loaded:
 * create others after a change of sources.
 */
export class Commands implements Disposable {
  readonly #project: Project;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #loader: Loader;
  readonly #orm = new ScriptPool(1);
  readonly #ours = new ScriptPool(1);

  constructor(project: Project, url: string, loader: Loader) {
    this.#project = project;
    this.#loader = loader;
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
    const script = this.#script(join(this.#project.directory, 'node_modules/@mikro-orm/cli/cli.js'), args);
    // In a process that jiti is registered in, it would also load the next script, and only once.
    return this.#loader === 'jiti' ? startScript(script) : this.#orm.run(script);
  }

  /** Runs `synthdb migrate` with these arguments. */
  ours(...args: string[]): Promise<Run> {
    return this.#ours.run(this.#script(this.#project.synthdb, ['migrate', ...args]));
  }

  /** Ends the processes. */
  [Symbol.dispose](): void {
    this.#orm[Symbol.dispose]();
    this.#ours[Symbol.dispose]();
  }

  #script(script: string, args: readonly string[]): Script {
    return { script, args, directory: this.#project.directory, environment: this.#environment };
  }
}
