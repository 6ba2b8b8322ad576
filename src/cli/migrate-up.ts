import { Command } from 'commander';
import { Migrator } from 'mikro-orm-safe-migrations';
import { lockWaitOption } from './lock-wait-option.ts';
import { runWithProgress } from './run-with-progress.ts';
import { print, printJson } from './output.ts';
import { printConnectHint, printDatabase, withDatabase } from './with-database.ts';

interface Given {
  readonly to?: string;
  readonly allowOutOfOrder?: boolean;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `synthdb migrate up`. */
export function migrateUpCommand(): Command {
  return new Command('up')
    .description('apply every pending migration, oldest first')
    .option('--to <name>', 'the last one to apply')
    .option('--allow-out-of-order', 'apply migrations that are older than applied ones too')
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, applied: [{ name, direction, duration }] }')
    .action(({ to, allowOutOfOrder, lockWait, json = false }: Given) =>
      withDatabase('migrations', async (orm, info) => {
        if (!json) printDatabase(info);
        const applied = await runWithProgress(json, (onEvent) =>
          new Migrator(orm, { lockWait, onEvent }).up({ to, allowOutOfOrder }),
        );
        if (json) return printJson({ database: info.database, applied });
        if (applied.length > 0)
          print(`${applied.length} applied${to === undefined ? ', nothing is pending' : ''}.`);
        else print(`Nothing is pending${to === undefined ? '' : ` up to ${to}`}.`);
        printConnectHint(info);
      }),
    );
}
