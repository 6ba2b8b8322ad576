import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { sharedCoordinates } from '../src/testing/allocate-database.ts';

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
 * Packs this package and the migrator, once in a run, and installs both, their dependencies and `others` into an empty project. Returns the
 * project's directory, which is the only thing in its parent that is of use; remove the parent.
 */
export async function installPackage(others: readonly string[] = []): Promise<string> {
  const packed = await packOnce();
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'synthdb-package-'));
  const consumer = join(temporary, 'consumer');
  const [ours, ofTheMigrator] = [
    await install(join(packed, 'root.tgz'), consumer),
    await install(join(packed, 'migrator.tgz'), consumer),
  ];

  const needed = new Set([...requiredBy(ours), ...requiredBy(ofTheMigrator)]);
  needed.delete(ofTheMigrator.name);
  // The plugin needs Fastify, an optional peer.
  for (const name of [...needed, '@types/node', 'fastify', ...others]) {
    const link = join(consumer, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  await writeFile(join(consumer, 'package.json'), '{ "type": "module" }');
  return consumer;
}

/**
 * Returns the directory of this run's tarballs. The first caller in any process packs them, and the others wait. They are deleted after the
 * run by `removePacked`.
 *
 * @throws Error when packing fails, in this process or another.
 */
async function packOnce(): Promise<string> {
  const directory = packedDirectory();
  const outcome = join(directory, 'outcome');
  try {
    await mkdir(directory);
  } catch (error) {
    if (!isNativeError(error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    while (!existsSync(outcome)) await setTimeout(100);
    const failure = await readFile(outcome, 'utf8');
    if (failure !== '') throw new Error(failure, { cause: error });
    return directory;
  }
  let failure = '';
  try {
    await pack(directory);
  } catch (error) {
    failure = String(error);
    throw error;
  } finally {
    // Renamed, so that it is never read half-written.
    await writeFile(`${outcome}.new`, failure);
    await rename(`${outcome}.new`, outcome);
  }
  return directory;
}

/** Deletes the tarballs of this run, if any. */
export async function removePacked(): Promise<void> {
  await rm(packedDirectory(), { recursive: true, force: true });
}

function packedDirectory(): string {
  return join(realpathSync(tmpdir()), `${sharedCoordinates().run}_packed`);
}

/** Builds and packs both packages, apart from the checkout, whose own build may be in use. */
async function pack(directory: string): Promise<void> {
  const source = join(directory, 'source');
  await mkdir(source);
  const compiled = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'build.ts', 'src'];
  const ofMigrator = ['package.json', 'tsconfig.build.json', 'src', 'docs', 'README.md', 'LICENSE'];
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
  for (const [name, cwd] of [
    ['root.tgz', source],
    ['migrator.tgz', join(source, migrator)],
  ] as const) {
    const { stdout } = await run('npm', ['pack', '--silent', '--ignore-scripts'], { cwd });
    await rename(join(cwd, stdout.trim()), join(directory, name));
  }
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

/** Unpacks a tarball among the modules of `consumer`. */
async function install(tarball: string, consumer: string): Promise<Manifest> {
  const modules = join(consumer, 'node_modules');
  const unpacked = join(modules, 'package');
  await mkdir(modules, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', modules]);
  const manifest = await manifestOf(unpacked);
  await rename(unpacked, join(modules, manifest.name));
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
