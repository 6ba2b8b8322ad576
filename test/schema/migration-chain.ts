import { readFileSync } from 'node:fs';
import { migrations } from '../../src/migrations.ts';
import { checksumsIn, schemaFile } from '../../docs/generate-schema.ts';

/** Every migration, in order, as docs/schema.sql lists them: with the optional ones, as the ORM's own commands apply them. */
export const allMigrations: readonly string[] = [...checksumsIn(readFileSync(schemaFile, 'utf8')).keys()];
const optional = new Set<string>(
  migrations.filter((Class) => 'optional' in Class).map((Class) => Class.name),
);

/** Every migration that each database has, in order, as docs/schema.sql lists them. */
export const migrationChain: readonly string[] = allMigrations.filter((name) => !optional.has(name));

/** The optional ones. */
export const optionalMigrations: readonly string[] = allMigrations.filter((name) => optional.has(name));
