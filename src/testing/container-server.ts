import { isNativeError } from 'node:util/types';
import { SettingsError } from '../errors.ts';
import { fragileSettings, type RunningServer } from './running-server.ts';

const remedy = 'or leave TEST_POSTGRES out, and the tests run on the embedded PostgreSQL (here: `make test`)';

/**
 * A server in a container of this run's own. `testcontainers` and its module for PostgreSQL are loaded here and nowhere else: without
 * `TEST_POSTGRES=container` neither has to be installed.
 *
 * @throws SettingsError when the package or a container runtime is missing, or the container does not start.
 */
export async function containerServer(image: string): Promise<RunningServer> {
  const { PostgreSqlContainer, getContainerRuntimeClient } = await load();
  await getContainerRuntimeClient().catch(withoutRuntime);
  const settings = Object.entries(fragileSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  try {
    const container = await new PostgreSqlContainer(image).withCommand(['postgres', ...settings]).start();
    return {
      kind: 'container',
      url: container.getConnectionUri(),
      origin: `container of ${image}`,
      stop: async () => void (await container.stop()),
    };
  } catch (cause) {
    const said = isNativeError(cause) ? cause.message : String(cause);
    throw new SettingsError(
      `TEST_POSTGRES=container, but no container of ${image} came up (${said.split('\n')[0]}): ` +
        `set POSTGRES_IMAGE to an image that can be had here, ${remedy}`,
      { cause },
    );
  }
}

function withoutRuntime(cause: unknown): never {
  const host = process.env['DOCKER_HOST'] ?? 'not set';
  throw new SettingsError(
    `TEST_POSTGRES=container, but no container runtime answers (DOCKER_HOST is ${host}; then Docker's own configuration ` +
      `and /var/run/docker.sock were tried): start Docker or Podman, ${remedy}`,
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
      `TEST_POSTGRES=container needs two packages: npm install --save-dev testcontainers @testcontainers/postgresql, ${remedy}`,
      { cause },
    );
  }
}
