import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { EmbeddedPostgres } from '../embedded/index.ts';

/** Stops the embedded server of a directory, and deletes both. */
export async function removeServer(directory: string): Promise<void> {
  await EmbeddedPostgres.remove({ directory });
  await rm(directory, { recursive: true, force: true });
}

/** Does the same in a detached process, which outlives this one. */
export function removeServerDetached(directory: string): void {
  const [module, argument] = [import.meta.url, directory].map((text) => JSON.stringify(text));
  const script = `import { removeServer } from ${module}; await removeServer(${argument})`;
  const flags = ['--input-type=module', '--eval', script];
  spawn(process.execPath, flags, { detached: true, stdio: 'ignore' }).unref();
}
