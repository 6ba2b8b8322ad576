import { relative } from 'node:path';
import { Command } from 'commander';
import { createMigration } from '../migrator/index.ts';
import { say } from './output.ts';
import { UsageError } from './usage-error.ts';
import { withDatabase } from './with-database.ts';

/** `synthdb migrate create NAME` */
export function migrateCreate(): Command {
  return new Command('create')
    .description('write a migration from what the entities have and the migrations have not')
    .argument('<name>', 'what it does, in snake_case: add_tags')
    .action((name: string) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) {
        throw new UsageError(`"${name}" can't name a migration: use snake_case, such as add_tags`);
      }
      return withDatabase('migrations', async (orm) => {
        const file = await createMigration(orm, name);
        say(
          file === null
            ? 'Entities and migrations agree; there is nothing to write.'
            : `Wrote ${relative('', file)}. Read it, improve it, and say in its docstring why, what it locks, what going back loses.`,
        );
      });
    });
}
