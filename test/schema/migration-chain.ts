import { readFileSync } from 'node:fs';
import { checksumsIn, schemaFile } from '../../docs/generate-schema.ts';

/** Every migration, in order, as docs/schema.sql lists them. */
export const migrationChain: readonly string[] = [...checksumsIn(readFileSync(schemaFile, 'utf8')).keys()];
