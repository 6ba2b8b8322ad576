import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { throwing } from 'mikro-orm-safe-migrations/cli';
import { backfill } from './backfill/command.ts';
import { config } from './config.ts';
import { dbReset } from './db-reset.ts';
import { dbStart } from './db-start.ts';
import { dbStop } from './db-stop.ts';
import { dbUrl } from './db-url.ts';
import { demo } from './demo/command.ts';
import { doctor } from './doctor.ts';
import { importCommand } from './import/command.ts';
import { load } from './load/command.ts';
import { migrate } from './migrate.ts';
import { helpHint, inCallersTerms } from './invocation.ts';

/**
 * The `synthdb` command. What only one of the commands needs is imported when it runs: every command waits for the modules that are
 * loaded here.
 */
export function program(): Command {
  const db = new Command('db').description('run the embedded PostgreSQL of this project');
  for (const command of [dbStart(), dbStop(), dbReset(), dbUrl()]) db.addCommand(command);
  const synthdb = new Command('synthdb')
    .version(version())
    .description(
      'Works on the database that DATABASE_URL names, in the environment or in .env. With DATABASE_URL=embedded, and in development without one, that is an embedded PostgreSQL below .data/.',
    )
    .addHelpText(
      'after',
      `
Ends with 0 when all is well, 1 when it failed or was refused, 2 when it was
called wrongly or not confirmed, 3 when something is pending or needs attention
(where asked for), 4 when another runner migrates, 5 when part of what it
printed could not be written, 130 when a question was interrupted by Ctrl-C.`,
    )
    .addCommand(migrate())
    .addCommand(db)
    .addCommand(config())
    .addCommand(doctor())
    .addCommand(importCommand())
    .addCommand(load())
    .addCommand(backfill())
    .addCommand(demo());
  return throwing(synthdb, { name: 'synthdb', inCallersTerms }, helpHint);
}

function version(): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
