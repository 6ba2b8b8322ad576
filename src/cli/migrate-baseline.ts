import { Command } from 'commander';
import { Migrator } from 'mikro-orm-safe-migrations';
import { confirmDestructive } from './confirmation.ts';
import { lockWaitOption } from './lock-wait-option.ts';
import { print, printJson } from './output.ts';
import { printDatabase, withDatabase } from './with-database.ts';

interface Given {
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `synthdb migrate baseline NAME`. */
export function migrateBaselineCommand(): Command {
  return new Command('baseline')
    .description('note that a schema made in another way is where the migrations up to one would bring it')
    .argument('<name>', 'the last migration whose work is there')
    .option('--confirm <name>', 'the name of the database, where it is not for development')
    .addOption(lockWaitOption())
    .option('--json', 'print JSON: { database, noted: [name] }')
    .action((name: string, { confirm, lockWait, json = false }: Given) =>
      withDatabase('migrations', async (orm, info) => {
        await confirmDestructive(orm, info, { confirm, does: 'notes migrations as applied' });
        if (!json) printDatabase(info);
        const noted = await new Migrator(orm, { lockWait }).baseline(name);
        if (json) return printJson({ database: info.database, noted });
        for (const one of noted) print(`  noted ${one}`);
        print(noted.length === 0 ? 'All of them are noted already.' : `${noted.length} noted as applied.`);
      }),
    );
}
