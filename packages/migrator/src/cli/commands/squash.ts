import { relative } from 'node:path';
import { Command } from 'commander';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { print, printJson } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly to: string;
  readonly name?: string;
  readonly json?: boolean;
  readonly scratchUrl?: string;
}

/** Returns the command `squash`. */
export function squashCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('squash')
    .description(
      'replace the migrations up to one by a single one with the same result, and delete their files',
    )
    .requiredOption('--to <name>', 'the last one to replace; best one that every database has')
    .option('--name <name>', 'the name of the new one, in snake_case; by default squash')
    .option(
      '--json',
      'print JSON: { name, path, replaces: [name], deleted: [path], reversible, notCompared: [column], leftOut: [{ migration, statement, reason }] }',
    )
    .addOption(scratchUrlOption())
    .action(({ to, name, json = false, scratchUrl }: Given) =>
      host.withDatabase(async (orm) => {
        const { squashMigrations } = await import('../../squash-migrations.ts');
        const squash = await squashMigrations(orm, { to, name, scratchUrl });
        await host.onCreated([squash.path], squash.replaces);
        if (json) return printJson(squash);
        print(`Wrote ${relative('', squash.path)}.`);
        print(`It replaces ${squash.replaces.length} migrations, whose files were deleted:`);
        for (const one of squash.replaces) print(`  ${one}`);
        if (!squash.reversible)
          print("It can't be reverted: one of them has no `down` that only adds statements.");
        for (const column of squash.notCompared)
          print(`  not compared, since it differs each time: ${column}`);
        for (const one of squash.leftOut) print(`  ${describeLeftOut(one)}`);
      }),
    );
}
