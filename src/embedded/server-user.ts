import { userInfo } from 'node:os';
import { EmbeddedPostgresError } from './errors.ts';
import { runProgram } from './run-program.ts';

/** Whom PostgreSQL's programs run as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user for a new cluster: null, which stands for the caller, unless the caller is root, whom PostgreSQL refuses.
 * Then it is `postgres`, or `nobody` where there is no such user. A caller whose user id has no name is refused, since
 * initdb looks that name up, whatever superuser it is to create; such a caller can still start an existing cluster.
 *
 * @throws EmbeddedPostgresError `no_server_user`
 */
export async function serverUser(): Promise<ServerUser | null> {
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
      'Add one (useradd --system postgres), run this as an ordinary user, or set DATABASE_URL to a server of your own.',
    { cause },
  );
}

function requireName(): void {
  try {
    // By the same function of the C library as initdb's.
    userInfo();
  } catch (cause) {
    const uid = process.getuid?.();
    throw new EmbeddedPostgresError(
      'no_server_user',
      `PostgreSQL cannot create a cluster as user id ${uid}, which has no name on this machine. Give it one ` +
        `(echo "synthlab:x:${uid}:0::/tmp:/bin/sh" >> /etc/passwd, as root, for example in the image), run this as a user ` +
        'that has one (docker run --user node), or set DATABASE_URL to a server of your own.',
      { cause },
    );
  }
}

/** Asks `id` and not /etc/passwd, which is not where macOS or a directory service keeps its users. */
async function numericId(flag: '-u' | '-g', name: string): Promise<number> {
  return Number((await runProgram('id', [flag, name])).trim());
}
