import { userInfo } from 'node:os';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';

/**
 * Returns the user to run a new cluster's server as: null for the user of this process; called by root, which PostgreSQL refuses,
 * `postgres` or else `nobody`. A user id without a name is refused, since initdb looks the name up; it can still start an existing cluster.
 *
 * @throws EmbeddedPostgresError `no_server_user`.
 */
export async function userForNewCluster(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) {
    requireName();
    return null;
  }
  let cause: unknown;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([numericId('-u', name), numericId('-g', name)]);
      return { uid, gid };
    } catch (error) {
      cause = error;
    }
  }
  throw new EmbeddedPostgresError(
    'no_server_user',
    'PostgreSQL refuses to run as root, and this machine has neither a user "postgres" nor "nobody" to run it as. ' +
      'Add one (useradd --system postgres), run this as an ordinary user, or set DATABASE_URL to another server.',
    { cause },
  );
}

function requireName(): void {
  try {
    // Uses the same function of the C library as initdb.
    userInfo();
  } catch (cause) {
    const uid = process.getuid?.();
    throw new EmbeddedPostgresError(
      'no_server_user',
      `PostgreSQL cannot create a cluster as user id ${uid}, which has no name on this machine. Give it one ` +
        `(echo "synthlab:x:${uid}:0::/tmp:/bin/sh" >> /etc/passwd, as root, for example in the image), run this as a user ` +
        'with a name (docker run --user node), or set DATABASE_URL to another server.',
      { cause },
    );
  }
}

/** Returns the number of a user or group by the program `id`: macOS and directory services do not use /etc/passwd. */
async function numericId(flag: '-u' | '-g', name: string): Promise<number> {
  return Number((await runProgram('id', [flag, name])).trim());
}
