import { relative } from 'node:path';
import { Command } from 'commander';
import { createMigration } from 'mikro-orm-safe-migrations';
import { addMigrationToList } from './add-migration-to-list.ts';
import { print, printJson } from './output.ts';
import { UsageError } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

/** Returns the command `synthdb migrate create NAME`. */
export function migrateCreateCommand(): Command {
  return new Command('create')
    .description('write a migration from what the entities have and the migrations have not')
    .argument('<name>', 'what it does, in snake_case: add_tags')
    .option(
      '--json',
      'print JSON: { name, path, warnings: [{ direction, message }] }, or null when there is nothing to create',
    )
    .action((name: string, { json = false }: { json?: boolean }) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) {
        throw new UsageError(`"${name}" can't name a migration: use snake_case, such as add_tags`);
      }
      return withDatabase('migrations', async (orm) => {
        const created = await createMigration(orm, name);
        if (created !== null) await addMigrationToList(created.path);
        if (json) return printJson(created);
        if (created === null) return print('Entities and migrations agree; there is nothing to write.');
        print(
          `Wrote ${relative('', created.path)}. Read it, improve it, and say in its docstring why, what it locks, what going back loses.`,
        );
        for (const { direction, message } of created.warnings) print(`  ${direction}: ${message}.`);
      });
    });
}
