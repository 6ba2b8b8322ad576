import { randomBytes } from 'node:crypto';
import type { PoolMode } from '../postgres/client/pool-options.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { Administrator } from './administrator.ts';
import { coordinatesVariable, type Coordinates } from './coordinates.ts';

/** A database of a test run. */
interface CreatedDatabase {
  readonly url: string;
  readonly poolMode: PoolMode;
  readonly drop: () => Promise<void>;
}

/** Creates a database on the server of the run, as a copy of `template`, by default the migrated one. */
export async function createOnServer(
  { url: serverUrl, run, template: migrated }: Coordinates,
  template = migrated,
): Promise<CreatedDatabase> {
  const administrate = () => Administrator.connect(parseDatabaseUrl(serverUrl, coordinatesVariable));
  const name = `${run}_${randomBytes(6).toString('hex')}`;
  await using administrator = await administrate();
  await administrator.create(name, template);
  const pooler = process.env['TEST_POOLER_URL'];
  const url = new URL(pooler || serverUrl);
  url.pathname = name;
  return {
    url: url.href,
    poolMode: pooler ? 'transaction' : 'session',
    drop: async () => {
      await using dropping = await administrate();
      await dropping.drop(name);
    },
  };
}
