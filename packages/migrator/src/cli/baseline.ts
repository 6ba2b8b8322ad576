import { Command } from 'commander';
import { Migrator } from '../migrator.ts';
import { confirmDestructive } from './confirmation.ts';
import { lockWaitOption } from './lock-wait.ts';
import { say, sayJson } from './output.ts';
import type { CommandHost, Place } from './host.ts';

interface Given {
  readonly confirm?: string;
  readonly lockWait: number;
  readonly json?: boolean;
}

/** Returns the command `baseline NAME`. */
export function baselineCommand<P extends Place>(host: CommandHost<P>): Command {
  return new Command('baseline')
    .description('note that a schema made in another way is where the migrations up to one would bring it')
    .argument('<name>', 'the last migration whose work is there')
    .option('--confirm <name>', 'the name of the database, where it is not for development')
    .addOption(lockWaitOption())
    .option('--json', 'print { database, noted: [name] } for programs')
    .action((name: string, { confirm, lockWait, json = false }: Given) =>
      host.withDatabase(async (orm, place) => {
        await confirmDestructive(host, orm, place, { confirm, does: 'notes migrations as applied' });
        if (!json) say(host.describe(place));
        const noted = await new Migrator(orm, { lockWait }).baseline(name);
        if (json) return sayJson({ database: place.database, noted });
        for (const one of noted) say(`  noted ${one}`);
        say(noted.length === 0 ? 'All of them are noted already.' : `${noted.length} noted as applied.`);
      }),
    );
}
