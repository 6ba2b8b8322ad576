import { isNativeError } from 'node:util/types';
import { SettingsError } from '../errors.ts';
import { nonDurableSettings, type RunningServer } from './running-server.ts';

const remedy = 'or unset TEST_POSTGRES to use the embedded PostgreSQL (here: `make test`)';

/**
 * Starts a server in a container for this run. Loads `testcontainers` and its PostgreSQL module, which are needed with
 * `TEST_POSTGRES=container` only.
 *
 * @throws SettingsError when a package or the container runtime is missing, or the container does not start.
 */
export async function startContainerServer(image: string): Promise<RunningServer> {
  const { PostgreSqlContainer, getContainerRuntimeClient } = await load();
  await getContainerRuntimeClient().catch(withoutRuntime);
  const settings = Object.entries(nonDurableSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const container = await new PostgreSqlContainer(image).withCommand(['postgres', ...settings]).start();
    return {
      kind: 'container',
      url: container.getConnectionUri(),
      origin: `container of ${image}`,
      stop: async () => void (await container.stop()),
    };
  } catch (cause) {
    const message = isNativeError(cause) ? cause.message : String(cause);
    throw new SettingsError(
      `TEST_POSTGRES=container, but a container of ${image} did not start (${message.split('\n')[0]}); ` +
        `set POSTGRES_IMAGE to an available image, ${remedy}`,
      { cause },
    );
  }
}

function withoutRuntime(cause: unknown): never {
  const host = process.env['DOCKER_HOST'] ?? 'not set';
  throw new SettingsError(
    `TEST_POSTGRES=container, but no container runtime is reachable (DOCKER_HOST is ${host}; Docker's configuration ` +
      `and /var/run/docker.sock were tried too); start Docker or Podman, ${remedy}`,
    { cause },
  );
}

async function load() {
  try {
    const [{ getContainerRuntimeClient }, { PostgreSqlContainer }] = await Promise.all([
      import('testcontainers'),
      import('@testcontainers/postgresql'),
    ]);
    return { getContainerRuntimeClient, PostgreSqlContainer };
  } catch (cause) {
    if (!(isNativeError(cause) && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw new SettingsError(
      `TEST_POSTGRES=container needs two packages; run npm install --save-dev testcontainers @testcontainers/postgresql, ${remedy}`,
      { cause },
    );
  }
}
