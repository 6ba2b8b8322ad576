import type { MikroORM } from '@mikro-orm/postgresql';
import type { DoctorFinding } from './findings.ts';

const oldestSupported = 140_000;

type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** Returns the findings about the server and the connected role. */
export async function serverFindings(orm: MikroORM): Promise<DoctorFinding[]> {
  const query: Query = (sql, values = []) => orm.em.getConnection().execute(sql, [...values]);
  const tables = [...orm.getMetadata().getAll().values()].map(({ tableName }) => tableName);
  return [await version(query), await role(query, tables), await timeouts(query), await connections(query)];
}

async function version(query: Query): Promise<DoctorFinding> {
  const [row] = await query<{ version: string; number: number; standby: boolean }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       pg_is_in_recovery() as standby`,
  );
  const { version: name = '?', number = 0, standby = false } = row ?? {};
  const message = `PostgreSQL ${name}`;
  const facts = { version: name, standby };
  if (standby)
    return {
      subject: 'server',
      level: 'warning',
      message: `${message}, a standby: nothing can be written`,
      facts,
    };
  if (number < oldestSupported)
    return {
      subject: 'server',
      level: 'warning',
      message: `${message}: 14 is the oldest supported version`,
      facts,
    };
  return { subject: 'server', level: 'fine', message, facts };
}

interface Role {
  readonly name: string;
  readonly superuser: boolean;
  readonly bypassRowSecurity: boolean;
  readonly mayCreate: boolean;
  readonly unreadable: readonly string[];
  readonly unwritable: readonly string[];
  readonly unfiltered: readonly string[];
}

// A service writes the tables of entities: not the list of migrations, nor tables of others in the same schema.
async function role(query: Query, written: readonly string[]): Promise<DoctorFinding> {
  const [found] = await query<Role>(
    `select current_user as name, rolsuper as superuser, rolbypassrls as "bypassRowSecurity",
       coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate", tables.*
     from pg_roles, (
       select coalesce(array_agg(relname::text order by relname) filter (where not has_table_privilege(oid, 'select')), '{}') as unreadable,
         coalesce(array_agg(relname::text order by relname) filter (where relname = any(string_to_array(?, ',')) and not (has_table_privilege(oid, 'insert')
           and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete'))), '{}') as unwritable,
         coalesce(array_agg(relname::text order by relname) filter (where relrowsecurity and not row_security_active(oid)), '{}') as unfiltered
       from pg_class where relkind in ('r', 'p') and relnamespace = to_regnamespace(current_schema())) tables
     where rolname = current_user`,
    [written.join(',')],
  );
  if (!found) throw new Error('the connected role is not in pg_roles');
  const { name, superuser, unreadable, unwritable } = found;
  const rights = [
    superuser && 'superuser',
    found.bypassRowSecurity && !superuser && 'bypasses row-level security',
    found.mayCreate && 'may create tables',
  ].filter((right) => right !== false);
  const message = rights.length === 0 ? name : `${name}: ${rights.join(', ')}`;
  const lacking = [
    ...(unreadable.length > 0 ? [`may not read ${unreadable.join(', ')}`] : []),
    ...(unwritable.length > 0 ? [`may not write ${unwritable.join(', ')}`] : []),
    ...(found.unfiltered.length > 0
      ? [
          `the row-level policies of ${found.unfiltered.join(', ')} do not apply to it: connect as another role, or force them`,
        ]
      : []),
  ];
  if (lacking.length > 0)
    return {
      subject: 'role',
      level: 'warning',
      message: `${message}; ${lacking.join('; ')}`,
      facts: { ...found },
    };
  return {
    subject: 'role',
    level: superuser ? 'note' : 'fine',
    message: superuser ? `${message}; a service does not need that` : message,
    facts: { ...found },
  };
}

async function timeouts(query: Query): Promise<DoctorFinding> {
  const rows = await query<{ name: string; ms: number }>(
    `select name, setting::int as ms from pg_settings
     where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout') order by name`,
  );
  const message = rows.map(({ name, ms }) => `${name} ${ms === 0 ? 'off' : `${ms} ms`}`).join(', ');
  return {
    subject: 'timeouts',
    level: 'fine',
    message,
    facts: Object.fromEntries(rows.map(({ name, ms }) => [name, ms])),
  };
}

async function connections(query: Query): Promise<DoctorFinding> {
  const [row] = await query<{ used: number; max: number }>(
    `select count(*)::int as used, current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as max
     from pg_stat_activity where backend_type = 'client backend'`,
  );
  const { used = 0, max = 0 } = row ?? {};
  const full = used > max * 0.9;
  const message = `${used} of ${max} in use`;
  return {
    subject: 'connections',
    level: full ? 'warning' : 'fine',
    message: full ? `${message}: make pools smaller, or put a pooler in front` : message,
    facts: { used, max },
  };
}
