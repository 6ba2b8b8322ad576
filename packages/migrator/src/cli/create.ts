import { relative } from 'node:path';
import { Command } from 'commander';
import { describeLeftOut } from '../catalog/server-guard.ts';
import { scratchUrlOption } from '../terminal/scratch-url-option.ts';
import { print, printJson } from '../terminal/output.ts';
import { UsageError } from '../terminal/usage-error.ts';
import type { CommandHost, DatabaseLocation } from './host.ts';

/** Returns the command `create NAME`. */
export function createCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('create')
    .description('write a migration from the difference between entities and migrations')
    .argument('<name>', 'what it does, in snake_case: add_tags')
    .option(
      '--json',
      'print { name, path, warnings: [{ direction, message }], leftOut: [{ migration, statement, reason }] } for programs, null when there is nothing to write',
    )
    .addOption(scratchUrlOption())
    .action((name: string, { json = false, scratchUrl }: { json?: boolean; scratchUrl?: string }) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) {
        throw new UsageError(`"${name}" can't name a migration: use snake_case, such as add_tags`);
      }
      return host.withDatabase(async (orm) => {
        const { createMigration } = await import('../create-migration.ts');
        const created = await createMigration(orm, name, { scratchUrl });
        if (created !== null) await host.onCreated(created.path, []);
        if (json) return printJson(created);
        if (created === null) return print('Entities and migrations agree; nothing was written.');
        print(`Wrote ${relative('', created.path)}. Review it.`);
        for (const { direction, message } of created.warnings) print(`  ${direction}: ${message}.`);
        for (const one of created.leftOut) print(`  ${describeLeftOut(one)}`);
      });
    });
}
