import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The driver that the ORM uses, in its version: a project need not install it. */
export function ormDriver(): typeof import('pg') {
  const require = createRequire(fileURLToPath(import.meta.resolve('@mikro-orm/postgresql')));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a module of that name
  return require('pg') as typeof import('pg');
}
