import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installPackage } from '../packed-package.ts';

const root = join(import.meta.dirname, '../..');

/** A directory in which both command lines are run. */
export interface Project {
  readonly directory: string;
  /** The file behind `synthdb`. */
  readonly synthdb: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A checkout, with the packages of this one. */
export async function checkout(): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'synthdb-checkout-'));
  for (const name of ['package.json', 'tsconfig.json', 'mikro-orm.config.ts', 'mikro-orm.config.js', 'src'])
    await cp(join(root, name), join(directory, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  return {
    directory,
    synthdb: join(directory, 'src/cli/main.ts'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

// What a service has in its mikro-orm.config.js.
const configuration = `
  import { withSynthLab } from 'synth-lab-data';
  import { migrations } from 'synth-lab-data/migrations';
  export default withSynthLab({
    migrations: { migrationsList: migrations, path: './migrations', silent: false },
    logger: (message) => console.log(message),
  });`;

/** A service that installed the packed package. */
export async function service(): Promise<Project> {
  const directory = await installPackage(['@mikro-orm/cli']);
  const manifest = { type: 'module', devDependencies: { '@mikro-orm/cli': '*' } };
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(directory, 'mikro-orm.config.js'), configuration);
  await mkdir(join(directory, 'migrations'));
  return {
    directory,
    synthdb: join(directory, 'node_modules/synth-lab-data/dist/cli/main.js'),
    [Symbol.asyncDispose]: () => rm(dirname(directory), { recursive: true }),
  };
}
