import { isNativeError } from 'node:util/types';
import { MigrationRefusedError } from '../../session/errors.ts';

/**
 * The requests of a build of a service, for `verify --traffic-old` and `--traffic-new`: each is one unit of work, by the service's own repositories. Requests
 * are called in turn, again and again, by several clients at once, and must leave what the others need.
 */
export interface Workload {
  /** By name. A rejection counts as a failed request. */
  readonly requests: Readonly<Record<string, () => Promise<unknown>>>;
  /** Closes its connections. */
  readonly close: () => Promise<void>;
}

/** What a module with a workload exports as `openWorkload`: connects to a database that is migrated, and prepares the rows that it needs. */
export type OpenWorkload = (url: string) => Workload | Promise<Workload>;

/**
 * Loads a module and opens its workload.
 *
 * @throws MigrationRefusedError when the module has none.
 */
export async function loadWorkload(module: string, url: string): Promise<Workload> {
  const form = 'export async function openWorkload(url) { return { requests: { … }, close } }';
  const loaded: unknown = await import(module).catch((cause: unknown) => {
    const why = isNativeError(cause) ? cause.message : String(cause);
    throw new MigrationRefusedError(`the workload ${module} can't be loaded: ${why}`, { cause });
  });
  const open: unknown = isObject(loaded) ? Reflect.get(loaded, 'openWorkload') : null;
  if (typeof open !== 'function')
    throw new MigrationRefusedError(`the module ${module} has no workload: ${form}`);
  const opened: unknown = await open(url);
  if (!isWorkload(opened))
    throw new MigrationRefusedError(`the workload of ${module} has no requests: ${form}`);
  return opened;
}

function isWorkload(value: unknown): value is Workload {
  return (
    isObject(value) &&
    'close' in value &&
    typeof value.close === 'function' &&
    'requests' in value &&
    isObject(value.requests) &&
    Object.values(value.requests).every((one) => typeof one === 'function')
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
