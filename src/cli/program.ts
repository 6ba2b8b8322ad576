import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { backfill } from './backfill/command.ts';
import { config } from './config.ts';
import { confirmationRule } from './confirmation.ts';
import { dbReset } from './db-reset.ts';
import { dbStart } from './db-start.ts';
import { dbStop } from './db-stop.ts';
import { dbUrl } from './db-url.ts';
import { demo } from './demo/command.ts';
import { doctor } from './doctor.ts';
import { importCommand } from './import/command.ts';
import { load } from './load/command.ts';
import { migrateBaseline } from './migrate-baseline.ts';
import { migrateCheck } from './migrate-check.ts';
import { migrateCreate } from './migrate-create.ts';
import { migrateDownCommand } from './migrate-down.ts';
import { migratePlan } from './migrate-plan.ts';
import { migrateRedo } from './migrate-redo.ts';
import { migrateStatus } from './migrate-status.ts';
import { migrateUpCommand } from './migrate-up.ts';
import { helpHint, inCallersTerms } from './invocation.ts';
import { failurePrefix } from './output.ts';
import { writeTo } from './standard-streams.ts';

/**
 * The `synthdb` command. What only one of the commands needs is imported when it runs: every command waits for the modules that are
 * loaded here.
 */
export function program(): Command {
  const migrate = new Command('migrate')
    .description('bring the schema of a database forward or back')
    .addHelpText('after', `\n${confirmationRule}`);
  for (const command of [
    migrateUpCommand(),
    migrateDownCommand(),
    migrateRedo(),
    migrateStatus(),
    migratePlan(),
    migrateCreate(),
    migrateCheck(),
    migrateBaseline(),
  ]) {
    migrate.addCommand(command);
  }
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
    .addCommand(migrate)
    .addCommand(db)
    .addCommand(config())
    .addCommand(doctor())
    .addCommand(importCommand())
    .addCommand(load())
    .addCommand(backfill())
    .addCommand(demo());
  return throwing(synthdb);
}

function version(): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}

// Commander would end the process with 1 for wrong usage; ours ends with 2, in one place. It is told like any other failure.
function throwing(command: Command, path = command.name()): Command {
  command
    .exitOverride()
    .showHelpAfterError(helpHint(path))
    .configureOutput({
      writeOut: (text) => void writeTo(1, text),
      writeErr: (text) => void writeTo(2, text),
      outputError: (text, write) => write(inCallersTerms(text.replace(/^error:/, failurePrefix()))),
    });
  for (const sub of command.commands) throwing(sub, `${path} ${sub.name()}`);
  return command;
}
