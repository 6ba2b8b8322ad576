import { throwOnExit } from 'mikro-orm-safe-migrations/cli';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { backfillCommand } from './backfill/command.ts';
import { configCommand } from './config.ts';
import { dbResetCommand } from './db-reset.ts';
import { dbStartCommand } from './db-start.ts';
import { dbStopCommand } from './db-stop.ts';
import { dbUrlCommand } from './db-url.ts';
import { demoCommand } from './demo/command.ts';
import { doctorCommand } from './doctor.ts';
import { importCommand } from './import/command.ts';
import { insightsCommand } from './insights.ts';
import { loadCommand } from './load/command.ts';
import { migrateCommand } from './migrate.ts';
import { exportCommand } from './export/command.ts';
import { helpHint, toInvocationTerms } from './invocation.ts';

/**
 * Returns the command `synthdb`. A module that only one command needs is imported when that command runs, since every command waits for
 * the modules imported here.
 */
export function createProgram(): Command {
  const db = new Command('db').description('manage the embedded PostgreSQL of this project');
  for (const command of [dbStartCommand(), dbStopCommand(), dbResetCommand(), dbUrlCommand()])
    db.addCommand(command);
  const synthdb = new Command('synthdb')
    .version(version())
    .description(
      'Manages the database at DATABASE_URL, from the environment or .env. With DATABASE_URL=embedded, and in development by default, that is an embedded PostgreSQL in .data/.',
    )
    .addHelpText(
      'after',
      `
Exit codes: 0 success; 1 failed or refused; 2 invalid usage, or not confirmed;
3 something is pending or needs attention (where requested); 4 another runner
holds the migration lock; 5 part of the output could not be written; 130 a
question was interrupted by Ctrl-C.`,
    )
    .addCommand(migrateCommand())
    .addCommand(db)
    .addCommand(configCommand())
    .addCommand(doctorCommand())
    .addCommand(insightsCommand())
    .addCommand(importCommand())
    .addCommand(loadCommand())
    .addCommand(exportCommand())
    .addCommand(backfillCommand())
    .addCommand(demoCommand());
  return throwOnExit(synthdb, { name: 'synthdb', formatMessage: toInvocationTerms }, helpHint);
}

function version(): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
