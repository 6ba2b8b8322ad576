import { EmbeddedPostgresError } from './errors.ts';
import { runProgram } from './run-program.ts';

/** Whom PostgreSQL's programs run as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user for a new cluster: null, which stands for the caller, unless the caller is root, whom PostgreSQL refuses.
 * Then it is `postgres`, or `nobody` where there is no such user.
 *
 * @throws EmbeddedPostgresError `no_server_user`
 */
export async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
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

/** Asks `id` and not /etc/passwd, which is not where macOS or a directory service keeps its users. */
async function numericId(flag: '-u' | '-g', name: string): Promise<number> {
  return Number((await runProgram('id', [flag, name])).trim());
}
