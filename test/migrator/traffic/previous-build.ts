import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/**
 * Extracts the sources of before a migration was added into a temporary directory, and returns a module there with their workload. Null without
 * that commit, as in a package or a shallow clone.
 */
export function previousBuild(migration: string): (Disposable & { readonly workload: string }) | null {
  const file = `src/migrations/${migration}.ts`;
  const git = (...args: readonly string[]): Buffer =>
    execFileSync('git', args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
  let sources: Buffer;
  try {
    const added = git('log', '--diff-filter=A', '--format=%H', '-1', '--', file).toString().trim();
    sources = git('archive', `${added}^`, 'src', 'package.json');
  } catch {
    return null;
  }
  const directory = mkdtempSync(join(tmpdir(), 'previous-build-'));
  execFileSync('tar', ['-x', '-C', directory], { input: sources });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const workload = join(directory, 'workload.ts');
  writeFileSync(
    workload,
    `import { workloadOf } from ${JSON.stringify(join(import.meta.dirname, 'workload.ts'))};
     import { openDatabase } from './src/index.ts';
     import * as factories from './src/testing/factories.ts';
     export const openWorkload = workloadOf({ openDatabase, factories });`,
  );
  return { workload, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
