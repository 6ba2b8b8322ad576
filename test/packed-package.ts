import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/**
 * Packs the package and installs it, its dependencies and `others` into an empty project. Returns the project's directory, which is
 * the only thing in its parent that is of use; remove the parent.
 */
export async function installPackage(others: readonly string[] = []): Promise<string> {
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'synthdb-package-'));
  const consumer = join(temporary, 'consumer');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const { name: packageName, dependencies } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as { readonly name: string; readonly dependencies: Record<string, string> };

  // Built apart from the checkout, whose own build somebody may be using.
  const source = join(temporary, 'source');
  await mkdir(source);
  const compiled = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'src'];
  for (const name of [...compiled, 'docs', 'examples', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    await cp(join(root, name), join(source, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  await run('npm', ['run', 'build'], { cwd: source });
  const { stdout } = await run('npm', ['pack', '--silent'], { cwd: source });

  const installed = join(consumer, 'node_modules', packageName);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(source, stdout.trim()), '-C', installed, '--strip-components=1']);
  // Whoever imports the plugin has Fastify.
  for (const name of [...Object.keys(dependencies), '@types/node', 'fastify', ...others]) {
    const link = join(consumer, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  await writeFile(join(consumer, 'package.json'), '{ "type": "module" }');
  return consumer;
}
