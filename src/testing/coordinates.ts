import { SettingsError } from '../errors.ts';
import type { RunningServer } from './running-server.ts';

/** The environment variable by which the process that starts the server passes its coordinates to the others of the run. */
export const coordinatesVariable = 'SYNTHDB_TEST_SERVER';

/** The server of a run, as its other processes know it. */
export interface Coordinates {
  readonly url: string;
  readonly run: string;
  readonly template: string;
  readonly kind: RunningServer['kind'];
  readonly version: string;
  readonly description: string;
}

/**
 * Returns the coordinates of the run's server.
 *
 * @throws SettingsError when the run has none.
 */
export function sharedCoordinates(environment: NodeJS.ProcessEnv = process.env): Coordinates {
  const coordinates = environment[coordinatesVariable];
  if (coordinates === undefined)
    throw new SettingsError(
      'no test server: call TestServer.start() in the global set-up of your test runner',
    );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `TestServer.start` alone sets it
  return JSON.parse(coordinates) as Coordinates;
}
