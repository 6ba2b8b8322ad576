import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const migrator = join(import.meta.dirname, '../packages/migrator');

/** Compiles the migrator's package where its sources are newer than what was compiled: processes that tests start run that. */
export function buildMigrator(): void {
  const built = statSync(join(migrator, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync('src/**', { cwd: migrator });
  if (sources.some((source) => statSync(join(migrator, source)).mtimeMs > built))
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: migrator, stdio: 'inherit' });
}
