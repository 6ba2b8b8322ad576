import { randomBytes } from 'node:crypto';
import { MikroORM } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../session/errors.ts';
import { withPoolErrorsHandled, withQueriesIntercepted } from '../session/driver-options.ts';
import { poolSession, type Session } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { refuseServerFunctions } from './server-functions.ts';
import { ServerGuard } from './server-guard.ts';

const prefix = 'migrator_scratch_';

/**
 * Runs `work` on an empty database of the same server, with the encoding, locale and settings of the connected one, and drops it
 * afterwards. What it would change on the server is left out. The ORM that `work` receives has the same configuration; its schema generator ignores `schema`, the migrator's.
 * Also drops scratch databases of killed processes that are older than an hour.
 *
 * @throws MigrationRefusedError when the role may not create databases, or a connection to the new one reaches another database.
 */
export async function withScratchDatabase<T>(
  orm: MikroORM,
  schema: string,
  work: (scratch: MikroORM, guard: ServerGuard) => Promise<T>,
): Promise<T> {
  const session = poolSession(orm);
  await dropAbandoned(session);
  const name = `${prefix}${Date.now()}_${randomBytes(6).toString('hex')}`;
  await create(session, name);
  try {
    await copySettings(session, name);
    const guard = new ServerGuard(schema);
    const scratch = await MikroORM.init(optionsFor(orm, schema, name, guard));
    try {
      await requireDatabase(scratch, name);
      await refuseServerFunctions(poolSession(scratch));
      guard.start();
      return await work(scratch, guard);
    } finally {
      await scratch.close(true);
    }
  } finally {
    await session.query(`drop database if exists "${name}" with (force)`);
  }
}

/** Whether the ORM is connected to a scratch database. */
export function isScratch(orm: MikroORM): boolean {
  return orm.config.get('dbName')?.startsWith(prefix) ?? false;
}

function optionsFor(orm: MikroORM, schema: string, name: string, guard: ServerGuard) {
  const options = withQueriesIntercepted(orm.config.getAll(), () => guard.interceptor());
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

async function create(session: Session, name: string): Promise<void> {
  try {
    await session.query(`create database "${name}" template template0 ${await databaseOptions(session)}`);
  } catch (cause) {
    if (findSqlState(cause) !== '42501') throw cause;
    const [role] = await session.query<{ name: string }>('select quote_ident(current_user) as name');
    throw new MigrationRefusedError(
      `role ${role?.name} may not create databases, and the comparison needs a scratch database: ` +
        `alter role ${role?.name} createdb, or connect as a role that may`,
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
async function copySettings(session: Session, name: string): Promise<void> {
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
  for (const { setting } of settings) await session.query(`alter database "${name}" set ${setting}`);
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
