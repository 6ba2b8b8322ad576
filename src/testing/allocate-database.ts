import { randomBytes } from 'node:crypto';
import { SettingsError } from '../errors.ts';
import type { PoolMode } from '../postgres/client/pool-options.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { Administrator } from './administrator.ts';
import type { RunningServer } from './running-server.ts';

/** The variable by which the process that starts the server passes its coordinates to the other processes of the run. */
export const coordinatesVariable = 'SYNTHDB_TEST_SERVER';

/** The server of a run, as its processes share it. */
export interface ServerCoordinates {
  readonly url: string;
  readonly run: string;
  readonly template: string;
  readonly kind: RunningServer['kind'];
  readonly version: string;
  readonly description: string;
}

/** A database of a run, and how to drop it. */
export interface AllocatedDatabase {
  readonly url: string;
  readonly poolMode: PoolMode;
  readonly drop: () => Promise<void>;
}

/**
 * Returns the coordinates of the server that the main process of the run started.
 *
 * @throws SettingsError when it has started none.
 */
export function sharedCoordinates(environment: NodeJS.ProcessEnv = process.env): ServerCoordinates {
  const coordinates = environment[coordinatesVariable];
  if (coordinates === undefined)
    throw new SettingsError(
      'no test server is running; call TestServer.start() in the global set-up of your test runner',
    );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Written by `TestServer.start` alone.
  return JSON.parse(coordinates) as ServerCoordinates;
}

/** Creates a database of the run as a copy of `template`. Its URL is that of the pooler at `TEST_POOLER_URL`, if set. */
export async function allocateDatabase(
  { url: serverUrl, run }: ServerCoordinates,
  template: string,
): Promise<AllocatedDatabase> {
  const name = `${run}_${randomBytes(6).toString('hex')}`;
  const server = parseDatabaseUrl(serverUrl, coordinatesVariable);
  await using administrator = await Administrator.connect(server);
  await administrator.create(name, template);
  const pooler = process.env['TEST_POOLER_URL'];
  const url = new URL(pooler || serverUrl);
  url.pathname = name;
  const drop = async (): Promise<void> => {
    await using dropper = await Administrator.connect(server);
    await dropper.drop(name);
  };
  return { url: url.href, poolMode: pooler ? 'transaction' : 'session', drop };
}
