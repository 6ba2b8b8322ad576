import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import { MigrationRefusedError } from '../session/errors.ts';
import { inTransaction, poolSession, type Session } from '../session/session.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import { refusePartialTables } from './refuse-partial-tables.ts';

/** The quoted names of the migrator's tables. */
export interface MigratorTables {
  /** The ORM's list of applied migrations. */
  readonly log: string;
  /** Names the chain of migrations in the migrator's tables, which several chains of a database share. */
  readonly chain: string;
  /** Its schema, unquoted. */
  readonly logSchema: string;
  readonly lease: string;
  readonly progress: string;
  readonly history: string;
  /** The schema that the last run left, for the comparison of the next one. */
  readonly catalog: string;
}

/** @throws MigrationRefusedError when `schema` is not a plain name, or `migrations.schema` is set. */
export function tablesOf(orm: MikroORM, schema: string): MigratorTables {
  const { tableName: log = 'mikro_orm_migrations', schema: chosen } = orm.config.get('migrations');
  if (chosen !== undefined) {
    throw new MigrationRefusedError(
      'migrations.schema makes the ORM set a search_path, which is lost behind a pooler: qualify names in the migrations with the schema instead',
    );
  }
  // Statements contain it in comments too.
  if (!/^[a-z_][a-z0-9_$]{0,62}$/i.test(schema)) {
    throw new MigrationRefusedError(
      `the migrator's schema can't be named ${JSON.stringify(schema)}: use up to 63 letters, digits and underscores`,
    );
  }
  // The ORM resolves the name in the same way.
  const [logSchema = '', table = ''] = log.includes('.')
    ? log.split('.')
    : [orm.config.get('schema') ?? 'public', log];
  return {
    log: `${quoted(logSchema)}.${quoted(table)}`,
    chain: `${quoted(logSchema)}.${quoted(table)}`,
    logSchema,
    lease: `"${schema}"."lease"`,
    progress: `"${schema}"."progress"`,
    history: `"${schema}"."history"`,
    catalog: `"${schema}"."catalog"`,
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Returns which tables exist: none before the first migration, only the log where the ORM's command line migrated. `current` is whether the
 * history has the columns of this version.
 *
 * @throws MigrationRefusedError when one of them may hide rows from this role.
 */
export async function findExistingTables(
  session: Session,
  tables: MigratorTables,
): Promise<Record<'log' | 'lease' | 'progress' | 'history' | 'current', boolean>> {
  const [found] = await session.query<Record<'log' | 'lease' | 'progress' | 'history' | 'current', boolean>>(
    `select to_regclass($1) is not null as log, to_regclass($2) is not null as lease,
       to_regclass($3) is not null as progress, to_regclass($4) is not null as history,
       exists (select from pg_attribute where attrelid = to_regclass($4) and attname = 'chain')
         and exists (select from pg_constraint where conrelid = to_regclass($4) and conname = 'history_direction_check'
           and pg_get_constraintdef(oid) like '%purge%') as current`,
    [tables.log, tables.lease, tables.progress, tables.history],
  );
  await refusePartialTables(session, tables);
  return found ?? { log: false, lease: false, progress: false, history: false, current: false };
}

/**
 * Creates the migrator's tables where they are missing. Safe to run concurrently.
 *
 * @throws MigrationRefusedError when one of them may hide rows from this role.
 */
export async function ensureTables(orm: MikroORM, schema: string, tables: MigratorTables): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const { log, ...own } = await findExistingTables(poolSession(orm), tables);
    const complete = Object.values(own).every(Boolean);
    if (log && complete) return;
    try {
      await inTransaction(orm, async (session) => {
        await session.query(await missingSchemas(session, [tables.logSchema, schema]));
        if (!log) await session.query(logDefinition(tables));
        if (!complete) await session.query(definitions(schema, tables));
        // Both are created together: a missing log was dropped, and the progress refers to migrations that are gone.
        if (!log && own.progress)
          await session.query(`delete from ${tables.progress} where chain in ('', $1)`, [tables.chain]);
      });
      return;
    } catch (error) {
      // Another runner created them at the same time: check again.
      if (attempt >= 50 || !concurrentCreation.has(findSqlState(error))) throw error;
      await setTimeout(20 + Math.random() * 80);
    }
  }
}

// Unique violations of catalogs, "already exists" in several forms, "tuple concurrently updated", deadlocks.
const concurrentCreation: ReadonlySet<string> = new Set([
  '23505',
  '42P06',
  '42P07',
  '42710',
  '42723',
  'XX000',
  '40P01',
]);

// `if not exists` requires the privilege to create schemas even where they exist.
async function missingSchemas(session: Session, schemas: readonly string[]): Promise<string> {
  const missing = await session.query<{ name: string }>(
    'select distinct name from unnest($1::text[]) name where to_regnamespace(quote_ident(name)) is null',
    [schemas],
  );
  return missing.map(({ name }) => `create schema if not exists ${quoted(name)};`).join('\n');
}

// The same definition as the ORM's.
function logDefinition({ log }: MigratorTables): string {
  return `
    create table if not exists ${log}
      ("id" serial primary key, "name" varchar(255) not null, "executed_at" timestamptz(6) not null default current_timestamp);
  `;
}

function definitions(schema: string, { lease, progress, history }: MigratorTables): string {
  return `
    create table if not exists ${lease} (
      one boolean primary key default true check (one),
      -- The fencing token, which increases with each holder: statements with a lower one are refused.
      token bigint not null default 0,
      expires_at timestamptz not null default '-infinity',
      holder text,
      -- What the holder works on, for the history if its lease expires.
      migration text,
      direction text,
      started_at timestamptz,
      -- The processes of the holder's separate connections: [{ pid, startedAt }].
      backends jsonb not null default '[]'
    );
    insert into ${lease} default values on conflict do nothing;
    create table if not exists ${progress} (
      chain text not null default '',
      name text not null,
      direction text not null check (direction in ('up', 'down')),
      statement integer not null,
      checksum text not null,
      -- False before the statement is sent: until then its outcome is unknown.
      done boolean not null,
      -- The checkpoint of a backfill: { key, rows }; the object that a statement drops: { oid }.
      place jsonb,
      at timestamptz not null default clock_timestamp(),
      primary key (chain, name, direction, statement)
    );
    create table if not exists ${history} (
      id bigint generated always as identity primary key,
      chain text not null default '',
      name text not null,
      direction text not null,
      outcome text not null check (outcome in ('done', 'failed', 'interrupted')),
      checksum text,
      text_digest text,
      started_at timestamptz not null,
      finished_at timestamptz not null default clock_timestamp(),
      error text,
      note text,
      token bigint,
      database_role text not null default current_user,
      os_user text,
      host text,
      tool text,
      -- Relations on which the transaction held a lock that blocks reads or writes: { relation: mode }.
      locks jsonb
    );
    -- Tables of an older version, whose rows have no chain.
    alter table ${progress} add column if not exists chain text not null default '';
    alter table ${progress} drop constraint if exists progress_pkey, add constraint progress_pkey primary key (chain, name, direction, statement);
    alter table ${history} add column if not exists chain text not null default '', add column if not exists text_digest text;
    alter table ${history} drop constraint if exists history_direction_check;
    alter table ${history} add constraint history_direction_check check (direction in
      ('up', 'down', 'baseline', 'text', 'applied', 'reverted', 'abandon', 'accept', 'forget', 'squash', 'replaced', 'purge'));
    create or replace function "${schema}".refuse_change() returns trigger language plpgsql as
      $$ begin raise exception 'the history of migrations is append-only'; end $$;
    create or replace trigger history_is_append_only before update or delete or truncate on ${history}
      for each statement execute function "${schema}".refuse_change();
  `;
}
