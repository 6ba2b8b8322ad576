import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

const migrator = 'packages/migrator';

interface Manifest {
  readonly name: string;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
}

/**
 * Packs the package and the migrator's, and installs both, their dependencies and `others` into an empty project. Returns the project's directory, which is
 * the only thing in its parent that is of use; remove the parent.
 */
export async function installPackage(others: readonly string[] = []): Promise<string> {
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'synthdb-package-'));
  const consumer = join(temporary, 'consumer');
  // Built apart from the checkout, whose own build somebody may be using.
  const source = join(temporary, 'source');
  await mkdir(source);
  const compiled = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src'];
  const ofMigrator = ['package.json', 'tsconfig.build.json', 'src', 'LICENSE'];
  for (const name of [
    ...compiled,
    ...ofMigrator.map((part) => join(migrator, part)),
    'docs',
    'examples',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ])
    await cp(join(root, name), join(source, name), { recursive: true });
  await linkModules(source);
  await run('npm', ['run', 'build'], { cwd: source });
  const [ours, ofTheMigrator] = [
    await install(source, consumer),
    await install(join(source, migrator), consumer),
  ];

  const needed = new Set([...requiredBy(ours), ...requiredBy(ofTheMigrator)]);
  needed.delete(ofTheMigrator.name);
  // Whoever imports the plugin has Fastify.
  for (const name of [...needed, '@types/node', 'fastify', ...others]) {
    const link = join(consumer, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  await writeFile(join(consumer, 'package.json'), '{ "type": "module" }');
  return consumer;
}

/** Gives a copy of the checkout the packages that the checkout has; the migrator's is the copy's own. */
async function linkModules(source: string): Promise<void> {
  const modules = join(source, 'node_modules');
  await mkdir(modules);
  const { name: copied } = await manifestOf(join(source, migrator));
  for (const name of await readdir(join(root, 'node_modules')))
    await symlink(
      name === copied ? join(source, migrator) : join(root, 'node_modules', name),
      join(modules, name),
    );
}

/** Packs what was built in a directory, and unpacks it among the modules of `consumer`. */
async function install(directory: string, consumer: string): Promise<Manifest> {
  const manifest = await manifestOf(directory);
  const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts'], { cwd: directory });
  const installed = join(consumer, 'node_modules', manifest.name);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(directory, stdout.trim()), '-C', installed, '--strip-components=1']);
  return manifest;
}

/** The packages that npm installs along with one. */
function requiredBy({ dependencies, peerDependencies, peerDependenciesMeta }: Manifest): string[] {
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  return [...Object.keys(dependencies), ...peers];
}

async function manifestOf(directory: string): Promise<Manifest> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  return JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
}
