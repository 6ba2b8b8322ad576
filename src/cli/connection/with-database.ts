import { dim, print, printError } from 'mikro-orm-safe-migrations/cli';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { MikroORM } from '@mikro-orm/postgresql';
import { connect } from '../../postgres/orm/connect.ts';
import { embeddedTarget, targetFor } from '../../database/default-target.ts';
import { ormOptions } from '../../postgres/orm/orm-options.ts';
import { parseDatabaseUrl } from '../../settings/database-url.ts';
import { resolveDatabase, type Purpose } from '../../settings/resolve-settings.ts';

/** The database of a command, for display. */
export interface DatabaseInfo {
  /** `embedded`, or the variable that configures the database. */
  readonly source: string;
  /** `user@host:port/database`. */
  readonly database: string;
  readonly host: string;
  /** The URL of the embedded database; null for others, whose URL may have a secret password. */
  readonly url: string | null;
  /** The directory of the embedded server; null for others. */
  readonly files: string | null;
}

/** Runs `work` on the configured database, and closes the connections. */
export async function withDatabase<T>(
  purpose: Purpose,
  work: (orm: MikroORM, info: DatabaseInfo) => Promise<T>,
): Promise<T> {
  return withTarget(await targetFor(purpose), work);
}

/** Runs `work` on the embedded database, regardless of the settings, and closes the connections. */
export async function withEmbeddedDatabase<T>(
  work: (orm: MikroORM, info: DatabaseInfo) => Promise<T>,
): Promise<T> {
  return withTarget(await embeddedTarget(), work);
}

async function withTarget<T>(
  { target, source, embedded }: Awaited<ReturnType<typeof targetFor>>,
  work: (orm: MikroORM, info: DatabaseInfo) => Promise<T>,
): Promise<T> {
  for (const notice of embedded?.notices ?? []) printError(dim(notice));
  const orm = await connect(target);
  try {
    return await work(orm, {
      source,
      database: target.label,
      host: target.parts.host,
      url: embedded?.url ?? null,
      files: embedded?.directory ?? null,
    });
  } finally {
    await orm.close(true);
  }
}

/** Runs `work` with a configured ORM that is not connected; starts no server. */
export async function withUnconnectedOrm<T>(work: (orm: MikroORM) => Promise<T>): Promise<T> {
  const { target } = resolveDatabase({}, 'migrations') ?? {
    target: parseDatabaseUrl('postgresql://nobody@localhost/none', 'default'),
  };
  const orm = new MikroORM(ormOptions(target));
  try {
    return await work(orm);
  } finally {
    await orm.close(true);
  }
}

/** Prints which database the command uses. */
export function printDatabase(info: DatabaseInfo): void {
  print(describeDatabase(info));
}

/** Returns the line that names the database of a command. */
export function describeDatabase({ source, database, files }: DatabaseInfo): string {
  const where = files === null ? `from ${source}` : `embedded, files in ${relative('', files) || '.'}`;
  return `PostgreSQL at ${stripVTControlCharacters(database)} ${dim(`(${where})`)}`;
}

/** Prints how to connect to the database. */
export function printConnectHint(info: DatabaseInfo): void {
  print(connectHint(info));
}

/** Returns how to connect to the database. */
export function connectHint({ url, source }: DatabaseInfo): string {
  return url === null ? `Connect with the URL in ${source}.` : `Connect with: psql '${url}'`;
}
