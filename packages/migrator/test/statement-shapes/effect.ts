import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Client } from 'pg';
import { readCatalog } from '../../src/catalog/catalog.ts';

/** All that a database holds, and its part of what the server holds, one fact a line. Equal lines are numbered. */
export type Facts = ReadonlySet<string>;

/** What was added to the facts, and what was removed. */
export function difference(before: Facts, after: Facts): string[] {
  return [
    ...[...after].filter((line) => !before.has(line)).map((line) => `+ ${line}`),
    ...[...before].filter((line) => !after.has(line)).map((line) => `- ${line}`),
  ].toSorted();
}

/** Reads the facts of one database. */
export class FactReader {
  readonly #client: Client;
  readonly #orm: MikroORM;
  readonly #name: string;
  readonly #query: string;
  readonly #printed: boolean;
  readonly #notifications: string[] = [];

  private constructor(client: Client, orm: MikroORM, query: string, printed: boolean) {
    this.#printed = printed;
    this.#client = client;
    this.#orm = orm;
    this.#name = client.database ?? '';
    this.#query = query;
    client.on('notification', ({ channel, payload = '' }) =>
      this.#notifications.push(`${channel} ${payload}`),
    );
  }

  /** Rows of the system's catalogs count from now on. `printed`: whether to read the migrator's catalog too, which takes as long. */
  static async open(client: Client, orm: MikroORM, printed: boolean): Promise<FactReader> {
    await client.query('listen shapes');
    return new FactReader(client, orm, await systemQuery(client), printed);
  }

  async read(): Promise<Facts> {
    await this.#otherSessionsEnd();
    const lines = [
      ...(this.#printed ? await this.#definitions() : []),
      ...(await this.#lines(this.#query)),
      ...(await this.#lines(otherFacts)),
      ...(await this.#rows()),
      ...this.#notifications.map((text) => `notified ${text}`),
    ];
    const seen = new Map<string, number>();
    const numbered = lines
      .filter((line) => !/\bmigrator\b|mikro_orm_migrations/.test(line))
      .map((line) => withoutOids(line).replaceAll(this.#name, '{db}'))
      .map((line) => {
        const count = (seen.get(line) ?? 0) + 1;
        seen.set(line, count);
        return count === 1 ? line : `${line} #${count}`;
      });
    return new Set(numbered);
  }

  // The server drops the temporary objects of a session after it was closed.
  async #otherSessionsEnd(): Promise<void> {
    for (let open = true; open;) {
      const { rows } = await this.#client.query<{ open: boolean }>(
        `select exists (select from pg_stat_activity
           where datname = current_database() and backend_type = 'client backend' and application_name <> 'test') as open`,
      );
      open = rows[0]?.open ?? false;
      if (open) await setTimeout(5);
    }
  }

  /** The catalog as the migrator reads it, with definitions as PostgreSQL prints them. */
  async #definitions(): Promise<string[]> {
    const catalog = await readCatalog(this.#orm);
    return [...catalog].flatMap(([name, { facts, parts }]) =>
      [['', facts] as const, ...parts].flatMap(([part, found]) => [
        `${name} ${part}`,
        ...Object.entries(found).map(([fact, value]) => `${name} ${part} ${fact}: ${value}`),
      ]),
    );
  }

  async #rows(): Promise<string[]> {
    const relations = await this.#client.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
       where relnamespace::regnamespace::text !~ '^(pg_|information_schema|migrator)' and relname <> 'mikro_orm_migrations'
         and (relkind = 'r' or relkind = 'm' and relispopulated)`,
    );
    if (relations.rows.length === 0) return [];
    const each = relations.rows.map(
      ({ name }) => `select $row$row of ${name} $row$ || to_jsonb(t)::text as line from only ${name} t`,
    );
    return this.#lines(each.join(' union all '));
  }

  async #lines(query: string): Promise<string[]> {
    const { rows } = await this.#client.query<{ line: string }>(query);
    return rows.map(({ line }) => line);
  }
}

// The names of some internal objects contain an oid.
function withoutOids(line: string): string {
  return line.replaceAll(/\b(pg_temp|RI_ConstraintTrigger_[ac])_\d+/g, '$1_N');
}

// What differs between equal databases, or is read otherwise.
const omittedCatalogs = /^pg_(?:statistic|statistic_ext_data|init_privs|depend|shdepend|toast.*)$/;
const omittedColumns =
  /^(?:oid|relfilenode|relpages|reltuples|relallvisible|relallfrozen|relfrozenxid|relminmxid|datfrozenxid|datminmxid|rolpassword|dattablespace|relhasrules|relhastriggers|relhasindex|relhassubclass|reltoastrelid)$/;

// Internal objects, whose names contain an oid.
const toast = `(select oid from pg_class where relnamespace = 'pg_toast'::regnamespace)`;
const conditions: Readonly<Record<string, string>> = {
  pg_trigger: 'not tgisinternal',
  pg_namespace: `nspname !~ '^pg_(toast_)?temp_'`,
  pg_class: `oid not in ${toast}`,
  pg_index: `indexrelid not in ${toast}`,
  pg_attribute: `attnum > 0 and attrelid not in ${toast}`,
};

// Expressions, as PostgreSQL prints them.
const definitions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pg_attrdef: { expression: 'pg_get_expr(adbin, adrelid)' },
  pg_class: { bound: 'pg_get_expr(relpartbound, oid)' },
  pg_constraint: { definition: 'pg_get_constraintdef(oid)' },
  pg_index: { definition: 'pg_get_indexdef(indexrelid)' },
  pg_partitioned_table: { key: 'pg_get_partkeydef(partrelid)' },
  pg_policy: { using: 'pg_get_expr(polqual, polrelid)', check: 'pg_get_expr(polwithcheck, polrelid)' },
  pg_proc: { body: 'pg_get_function_sqlbody(oid)', arguments: 'pg_get_function_arguments(oid)' },
  pg_rewrite: { definition: 'pg_get_ruledef(oid)' },
  pg_statistic_ext: { definition: 'pg_get_statisticsobjdef(oid)' },
  pg_trigger: { definition: 'pg_get_triggerdef(oid)' },
  pg_type: { default: 'pg_get_expr(typdefaultbin, 0)' },
};

/**
 * Returns a query for the rows of all catalogs of the system that were written since now, with the objects that they refer to by name.
 * Of those that the databases of a server share, only what has the name of this database in it.
 */
async function systemQuery(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string; shared: boolean; columns: Column[] }>(`
    select relname as name, relisshared as shared, (
      select json_agg(json_build_object('name', attname, 'type', atttypid::regtype, 'array', k.is_array,
        'target', case k.pktable when 'pg_largeobject_metadata'::regclass then 'pg_largeobject'::regclass else k.pktable end) order by attnum)
      from pg_attribute left join pg_get_catalog_foreign_keys() k
        on k.fktable = attrelid and k.fkcols = array[attname::text] and k.pkcols = '{oid}'
      where attrelid = c.oid and attnum > 0) as columns
    from pg_class c where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' order by relname`);
  const [since] = (await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')).rows;
  const catalogs = rows.filter(({ name }) => !omittedCatalogs.test(name));
  return catalogs
    .map(({ name, shared, columns }) => {
      const printed = Object.entries(definitions[name] ?? {}).map(([what, value]) => `'${what}', ${value}`);
      const values = [...columns.flatMap((column) => valueOf(column, columns)), ...printed].join(', ');
      const counts = conditions[name] ?? 'true';
      const line = `'${name} ' || jsonb_strip_nulls(jsonb_build_object(${values}))::text`;
      const written = `select ${line} as line from ${name} where xmin::text::bigint >= ${since?.xid} and ${counts}`;
      return shared
        ? `select line from (${written}) x where line like '%' || current_database() || '%'`
        : written;
    })
    .join(' union all ');
}

interface Column {
  readonly name: string;
  readonly type: string;
  /** Whether it is an array of references; null if it is no reference. */
  readonly array: boolean | null;
  readonly target: string | null;
}

function valueOf({ name, type, array, target }: Column, all: readonly Column[]): string[] {
  const of = (value: string): string[] => [`'${name}', (${value})`];
  if (omittedColumns.test(name) || ['xid', 'pg_lsn'].includes(type)) return [];
  // It has oids; the catalog's definition prints it.
  if (type === 'pg_node_tree') return [];
  if (name === 'objoid') {
    const catalog = all.find((column) => column.name === 'classoid');
    const part = all.some((column) => column.name === 'objsubid') ? 'objsubid' : '0';
    return of(`pg_describe_object(${catalog?.name ?? '0'}, objoid, ${part})`);
  }
  if (target === null) return of(`${name}::text`);
  if (array)
    return of(
      `select string_agg(coalesce(pg_describe_object('${target}'::regclass, o, 0), '-'), ', ' order by n) from unnest(${name}::oid[]) with ordinality u (o, n)`,
    );
  return of(`pg_describe_object('${target}'::regclass, ${name}::oid, 0)`);
}

const otherFacts = `
  select format('depends %s %s on %s', deptype, pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid)) as line
    from pg_depend where deptype in ('e', 'x', 'a') and objid >= 16384 and objid not in ${toast}
  union all select format('storage of %s: rewritten %s, counted %s, visible %s', oid::regclass, relfilenode <> oid, reltuples >= 0, relallvisible > 0)
    from pg_class where oid >= 16384 and relkind in ('r', 'i', 'm') and relnamespace::regnamespace::text !~ '^pg_'
  union all select format('statistics of %s.%s.%s', schemaname, tablename, attname) from pg_stats where schemaname not in ('pg_catalog', 'information_schema')
  union all select format('last value of %s.%s: %s', schemaname, sequencename, last_value) from pg_sequences
  union all select format('slot %s %s %s %s', slot_name, plugin, slot_type, database) from pg_replication_slots where slot_name like '%' || current_database() || '%'
  union all select format('prepared transaction %s', gid) from pg_prepared_xacts where database = current_database()
  union all select format('setting of the server %s = %s', name, setting) from pg_file_settings where sourcefile like '%auto.conf'
  union all select format('origin %s', roname) from pg_replication_origin where roname like '%' || current_database() || '%'`;
