import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { MikroORM } from '@mikro-orm/postgresql';
import { dim, say, sayError } from 'mikro-orm-safe-migrations/cli';
import { connect } from '../postgres/orm/connect.ts';
import { embeddedTarget, targetFor } from '../database/default-target.ts';
import { ormOptions } from '../postgres/orm/orm-options.ts';
import { parseDatabaseUrl } from '../settings/database-url.ts';
import { resolveDatabase, type Purpose } from '../settings/resolve-settings.ts';

/** Where a command works, for people and for programs. */
export interface Place {
  /** `embedded`, or the variable that named the database. */
  readonly source: string;
  /** `user@host:port/database`. */
  readonly database: string;
  readonly host: string;
  /** How to connect with any client; null when it would show a password that is not ours to show. */
  readonly url: string | null;
  /** The embedded server's files. */
  readonly files: string | null;
}

/** Runs `work` on the database of the settings and closes the connections, whatever happens. */
export async function withDatabase<T>(
  purpose: Purpose,
  work: (orm: MikroORM, place: Place) => Promise<T>,
): Promise<T> {
  return withTarget(await targetFor(purpose), work);
}

/** Runs `work` on the embedded database, whatever the settings name, and closes the connections, whatever happens. */
export async function withEmbedded<T>(work: (orm: MikroORM, place: Place) => Promise<T>): Promise<T> {
  return withTarget(await embeddedTarget(), work);
}

async function withTarget<T>(
  { target, source, embedded }: Awaited<ReturnType<typeof targetFor>>,
  work: (orm: MikroORM, place: Place) => Promise<T>,
): Promise<T> {
  for (const notice of embedded?.notices ?? []) sayError(dim(notice));
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

/** Runs `work` with the configuration alone: nothing is connected to, and no server started. */
export async function withoutDatabase<T>(work: (orm: MikroORM) => Promise<T>): Promise<T> {
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

/** Returns the line that says where a command works. */
export function describePlace({ source, database, files }: Place): string {
  const where = files === null ? `from ${source}` : `embedded, files in ${relative('', files) || '.'}`;
  return `PostgreSQL at ${stripVTControlCharacters(database)} ${dim(`(${where})`)}`;
}

/** Returns the line that says how to connect to it. */
export function howToConnect({ url, source }: Place): string {
  return url === null ? `Connect with the URL in ${source}.` : `Connect with: psql '${url}'`;
}
