import { spawn, type ChildProcess } from 'node:child_process';
import type { MigratorOptions } from 'mikro-orm-safe-migrations';
import type { Migrations } from './project.ts';

/** Starts a process that applies `migrations`, for tests that kill or suspend it. */
export function runUp(url: string, migrations: Migrations, options: MigratorOptions = {}): ChildProcess {
  const script = `
    import { projectOn } from ${at('project.ts')};
    import { Migrator } from ${at('../src/index.ts')};
    const orm = projectOn(${JSON.stringify(url)}, ${JSON.stringify(migrations)});
    await new Migrator(orm, ${JSON.stringify(options)}).up();
    await orm.close(true);`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function at(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}
