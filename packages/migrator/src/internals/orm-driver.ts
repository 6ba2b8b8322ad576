import { createRequire } from 'node:module';
import type * as Driver from 'pg';
import { fileURLToPath } from 'node:url';

/** The driver that the ORM uses, in its version: a project need not install it. */
export function ormDriver(): typeof Driver {
  const require = createRequire(fileURLToPath(import.meta.resolve('@mikro-orm/postgresql')));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a module of that name
  return require('pg') as typeof Driver;
}
