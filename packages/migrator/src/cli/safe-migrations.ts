import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { migrateCommands } from './migrate-commands.ts';
import { projectHost } from './project-host.ts';
import { throwOnExit } from '../terminal/throw-on-exit.ts';

/** The name of the package's command. */
export const programName = 'safe-migrations';

/** Returns the command `safe-migrations`. */
export function safeMigrations(): Command {
  const program = new Command(programName)
    .version(version())
    .description("Runs the migrations of a MikroORM project on PostgreSQL, by the project's configuration.")
    .option('--config <path>', "the configuration file; by default where the ORM's command line finds it")
    .option('--context <name>', 'the name of a configuration, where the file exports several')
    .addHelpText(
      'after',
      `
down, redo and baseline ask for the name of the database unless it is a development
database, and when data would be lost. Development databases are those on this
machine with dev, development, test, local or scratch in their names (shop_dev);
there are none with NODE_ENV=production. Without a terminal, pass --confirm NAME.

Exit codes: 0 success, 1 failed or refused, 2 wrong usage or not confirmed,
3 pending or different (check, status --exit-code) or a finding (lint), 4 another
runner migrates,
5 part of the output could not be written, 130 and 143 stopped by SIGINT (Ctrl-C)
and SIGTERM.`,
    );
  const host = projectHost(programName, () => program.opts());
  for (const command of migrateCommands(host)) program.addCommand(command);
  return throwOnExit(program, host);
}

function version(): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
