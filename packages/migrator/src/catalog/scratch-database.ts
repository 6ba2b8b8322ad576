import { randomBytes } from 'node:crypto';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../session/errors.ts';
import { withPoolErrorsHandled, withQueriesIntercepted } from '../session/driver-options.ts';
import { poolSession, type Session } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { refuseServerFunctions } from './server-functions.ts';
import { dropDatabase } from './drop-database.ts';
import { ServerGuard } from './server-guard.ts';

const prefix = 'migrator_scratch_';
const withoutLocale = `encoding 'UTF8'`;

/** The database that a scratch database is like. */
export interface ScratchOrigin {
  readonly orm: MikroORM;
  /** The migrator's. */
  readonly schema: string;
  /** The server of the scratch database; undefined for that of the connected one. */
  readonly scratchUrl: string | undefined;
}

/**
 * Runs `work` on an empty database, with the encoding, locale and settings of the connected one, and drops it afterwards. What it would
 * change on the server is left out. The ORM that `work` receives has the same configuration; its schema generator ignores `schema`.
 * Also drops scratch databases of killed processes that are older than an hour.
 *
 * @throws MigrationRefusedError when the server can't be reached, the role may not create databases, or a connection to the new one
 * reaches another database.
 */
export async function withScratchDatabase<T>(
  origin: ScratchOrigin,
  work: (scratch: MikroORM, guard: ServerGuard) => Promise<T>,
): Promise<T> {
  return withScratchServer(origin, async (server) => {
    const session = poolSession(origin.orm);
    await refuseStandby(server);
    await dropAbandoned(server);
    const name = `${prefix}${Date.now()}_${randomBytes(6).toString('hex')}`;
    await create(server, name, await databaseOptions(session), origin.scratchUrl !== undefined);
    try {
      await copySettings(session, server, name);
      const own = await ownSchemaOf(session);
      // The role of another server may have another name.
      if (own) await server.query(`alter database "${name}" set search_path to ${own.path}`);
      const guard = new ServerGuard(origin.schema);
      const scratch = await MikroORM.init(optionsFor(origin, name, guard));
      try {
        await requireDatabase(scratch, name);
        await refuseServerFunctions(poolSession(scratch));
        if (own) await poolSession(scratch).query(`create schema if not exists ${quoted(own.name)}`);
        guard.start(own?.name ?? null, await schemasOf(session));
        return await work(scratch, guard);
      } finally {
        await scratch.close(true);
      }
    } finally {
      await dropDatabase(server, name);
    }
  });
}

/** @throws MigrationRefusedError for a standby, which creates no database. */
async function refuseStandby(server: Session): Promise<void> {
  const [row] = await server.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  if (row?.standby)
    throw new MigrationRefusedError(
      'the server is a standby, which is read-only, and the comparison needs a scratch database: connect to the primary, or name another ' +
        'server with --scratch-url',
    );
}

/** Runs `work` with a session on the server of the scratch database. */
export async function withScratchServer<T>(
  { orm, scratchUrl }: Pick<ScratchOrigin, 'orm' | 'scratchUrl'>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  if (scratchUrl === undefined) return work(poolSession(orm));
  const options: Options = {
    clientUrl: validUrl(scratchUrl),
    entities: [],
    discovery: { warnWhenNoEntities: false },
    ensureDatabase: false,
    logger: () => {},
  };
  const server = new MikroORM(withPoolErrorsHandled(options));
  try {
    const session = poolSession(server);
    await session.query('select 1').catch((cause: unknown) => {
      throw new MigrationRefusedError(
        "can't connect to the server of the scratch database: see --scratch-url",
        {
          cause,
        },
      );
    });
    return await work(session);
  } finally {
    await server.close(true);
  }
}

/** @throws MigrationRefusedError for what is no URL of PostgreSQL with a database. The message has no password. */
function validUrl(url: string): string {
  if (/^postgres(?:ql)?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new MigrationRefusedError(
    'the URL of the scratch server is invalid: use postgresql://user:password@host:port/database',
  );
}

/** Whether the ORM is connected to a scratch database. */
export function isScratch(orm: MikroORM): boolean {
  return orm.config.get('dbName')?.startsWith(prefix) ?? false;
}

function optionsFor({ orm, schema, scratchUrl }: ScratchOrigin, name: string, guard: ServerGuard) {
  const options = withQueriesIntercepted(
    {
      ...orm.config.getAll(),
      ...(scratchUrl !== undefined && { driverOptions: driverOptionsFor(scratchUrl, name) }),
    },
    () => guard.interceptor(),
  );
  const { ignoreSchema = [], ...schemaGenerator } = options.schemaGenerator;
  return withPoolErrorsHandled({
    ...options,
    dbName: name,
    preferEnvVars: false,
    // They replicate the connected database.
    replicas: [],
    schemaGenerator: { ...schemaGenerator, ignoreSchema: [...ignoreSchema, schema] },
  });
}

// The driver prefers a connection string to other options.
function driverOptionsFor(scratchUrl: string, name: string): { readonly connectionString: string } {
  const url = new URL(scratchUrl);
  url.pathname = name;
  return { connectionString: url.href };
}

async function create(
  session: Session,
  name: string,
  options: string,
  isOtherServer: boolean,
): Promise<void> {
  try {
    await session.query(`create database "${name}" template template0 ${options}`);
  } catch (cause) {
    // Another machine may lack the locale.
    if (isOtherServer && !['42501', '55006'].includes(findSqlState(cause)) && options !== withoutLocale)
      return create(session, name, withoutLocale, isOtherServer);
    if (findSqlState(cause) !== '42501') throw cause;
    const [role] = await session.query<{ name: string }>('select quote_ident(current_user) as name');
    throw new MigrationRefusedError(
      `role ${role?.name} may not create databases, and the comparison needs a scratch database: ` +
        `alter role ${role?.name} createdb, connect as a role that may, or name another server with --scratch-url`,
      { cause },
    );
  }
}

/** Returns the options of `create database` that match the connected one. The catalog's columns depend on the version. */
async function databaseOptions(session: Session): Promise<string> {
  const [row] = await session.query<{ options: string }>(
    `select concat_ws(' ',
       'encoding ' || quote_literal(pg_encoding_to_char(d.encoding)),
       'lc_collate ' || quote_literal(datcollate), 'lc_ctype ' || quote_literal(datctype),
       case all_of->>'datlocprovider' when 'c' then 'locale_provider libc' when 'i' then 'locale_provider icu'
         when 'b' then 'locale_provider builtin' end,
       case all_of->>'datlocprovider' when 'i' then 'icu_locale ' when 'b' then 'builtin_locale ' end
         || quote_literal(coalesce(all_of->>'datlocale', all_of->>'daticulocale')),
       'icu_rules ' || quote_literal(all_of->>'daticurules')) as options
     from pg_database d, to_jsonb(d) all_of where datname = current_database()`,
  );
  return row?.options ?? '';
}

/** Copies the settings of the connected database that any role may set, such as `search_path`. */
async function copySettings(session: Session, server: Session, name: string): Promise<void> {
  const settings = await session.query<{ setting: string }>(
    // The values of list settings are already quoted.
    `select format('%I = %s', s.name, case when s.name in ('search_path', 'temp_tablespaces', 'local_preload_libraries')
         then value else quote_literal(value) end) as setting
     from pg_db_role_setting, unnest(setconfig) pair,
       lateral (select split_part(pair, '=', 1) as name, substr(pair, strpos(pair, '=') + 1) as value) given
       join pg_settings s on lower(s.name) = lower(given.name) and context = 'user'
     where setdatabase = (select oid from pg_database where datname = current_database())
       and setrole in (0, (select oid from pg_roles where rolname = current_user))
     order by setrole`,
  );
  for (const { setting } of settings) await server.query(`alter database "${name}" set ${setting}`);
}

/** The schema that has the name of the role, which `search_path` names as `"$user"`. */
interface OwnSchema {
  readonly name: string;
  /** The search path with its name. */
  readonly path: string;
}

/** Returns the schema of the role's name where unqualified names refer to it; null elsewhere. */
async function ownSchemaOf(session: Session): Promise<OwnSchema | null> {
  const [own] = await session.query<OwnSchema>(
    `select current_user as name, replace(current_setting('search_path'), '"$user"', quote_ident(current_user)) as path
     where current_schema() = current_user and current_schema() <> 'public'`,
  );
  return own ?? null;
}

/** Returns the schemas of the connected database. */
async function schemasOf(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>('select nspname as name from pg_namespace');
  return rows.map(({ name }) => name);
}

// A configuration may set its database where `dbName` does not override it. No other database may be migrated.
async function requireDatabase(scratch: MikroORM, name: string): Promise<void> {
  const [row] = await poolSession(scratch)
    .query<{ name: string }>('select current_database() as name')
    .catch((cause: unknown) => {
      throw new MigrationRefusedError(
        `can't connect to the scratch database ${name}: connect to the server itself, not through a pooler, as a role that may ` +
          'connect to any of its databases',
        { cause },
      );
    });
  if (row?.name !== name) {
    throw new MigrationRefusedError(
      `a connection to the scratch database ${name} reached ${row?.name}: set the database by dbName or clientUrl ` +
        'alone, and connect to the server itself, not through a pooler',
    );
  }
}

async function dropAbandoned(session: Session): Promise<void> {
  const old = await session.query<{ name: string }>(
    `select quote_ident(datname) as name from pg_database d
     where datname ~ '^${prefix}\\d+_' and split_part(datname, '_', 3)::bigint < $1
       and pg_has_role(datdba, 'usage')
       and not exists (select from pg_stat_activity where datid = d.oid)`,
    [Date.now() - 3_600_000],
  );
  for (const { name } of old) {
    // Another run may drop it first, or still use it.
    await session.query(`drop database if exists ${name}`).catch((error: unknown) => {
      if (findSqlState(error) !== '55006') throw error;
    });
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
