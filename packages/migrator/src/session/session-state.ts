import {
  channel,
  composedSetting,
  composedSql,
  customSetting,
  mayComposeSettings,
  namesIn,
  seed,
  setting,
} from './names-in-code.ts';
import type { Session } from './session.ts';

/** What a session holds beyond its transactions, as the server lists it. */
export interface SessionState {
  /** Values of settings that were set in the session, by names. */
  readonly settings: Readonly<Record<string, string>>;
  readonly role: string;
  /** The quoted role that the session was authorized as. */
  readonly authorization: string;
  /** Objects in the schema of temporary tables, as `drop` needs them: `table if exists pg_temp.a`. */
  readonly temporary: readonly string[];
  /** Quoted names of statements that SQL prepared, not a driver. */
  readonly prepared: readonly string[];
  /** Quoted names of cursors. */
  readonly cursors: readonly string[];
  readonly locks: readonly AdvisoryLock[];
  readonly channels: readonly string[];
  /** Values of custom settings, by their names. The server lists none, so only those that were asked for. */
  readonly custom: Readonly<Record<string, string | null>>;
  /** Whether functions of the database, or the given texts, may set custom settings whose names can't be known. */
  readonly composes: boolean;
  /** Whether functions of the database, or the given texts, set the seed of random numbers. */
  readonly seeds: boolean;
  /** The channels that functions of the database listen to. */
  readonly mentioned: readonly string[];
}

/** Arguments of the functions for an advisory lock. Those of a transaction look like those of a session. */
interface AdvisoryLock {
  readonly key: string;
  readonly shared: boolean;
}

/** Reads the state of a session. `texts` are the statements that are, or were, sent in it. */
export async function readSessionState(session: Session, texts: readonly string[]): Promise<SessionState> {
  const [row] = await session.query<{ state: string }>(stateQuery, [namesIn(texts, customSetting)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the query builds this object
  const state = JSON.parse(row?.state ?? '') as SessionState;
  const seeds = state.seeds || texts.some((text) => new RegExp(seed, 'i').test(text));
  const composes = state.composes || texts.some(mayComposeSettings);
  return { ...state, composes, seeds, mentioned: [...state.mentioned, ...namesIn(texts, channel)] };
}

/** Returns the values of the custom settings that texts name and `known` lacks, by their names. */
export async function readCustomSettings(
  session: Session,
  texts: readonly string[],
  known: SessionState['custom'],
): Promise<SessionState['custom']> {
  const names = namesIn(texts, customSetting)
    .map((name) => name.replaceAll(/[\s"]/g, ''))
    .filter((name) => !Object.hasOwn(known, name));
  if (names.length === 0) return {};
  const rows = await session.query<{ name: string; value: string | null }>(
    'select name, current_setting(name, true) as value from unnest($1::text[]) name',
    [names],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

/** Returns an expression with the word boundaries that PostgreSQL knows. */
function forServer(expression: string): string {
  return expression.replaceAll(String.raw`\b`, String.raw`\y`);
}

/** The beginning of the query for the state of a session, which distinguishes it from a migration's. */
export const stateQueryMark = '/* state of the session */';

// Functions of the catalog set nothing. In `prosrc` the body of a function in C is its name.
const stateQuery = `${stateQueryMark}
  with code as materialized (
    select prosrc from pg_proc
    where pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) and prosrc ~* '\\m(?:set|set_config|setseed|listen)\\M'
  ), custom as (
    select replace(regexp_replace(name, '\\s', '', 'g'), '"', '') as name from (
      select (regexp_matches(prosrc, $re$${forServer(customSetting)}$re$, 'gi'))[1] as name from code union select unnest($1::text[])) named
  )
  select jsonb_build_object(
    'settings', (select coalesce(jsonb_object_agg(name, setting), '{}') from pg_settings where source = 'session'),
    'role', current_setting('role'),
    'authorization', quote_ident(session_user),
    'temporary', (
      select coalesce(jsonb_agg(type || ' if exists ' || identity order by classid, objid desc), '[]')
      from pg_depend, pg_identify_object(classid, objid, 0)
      where refclassid = 'pg_namespace'::regclass and refobjid = pg_my_temp_schema() and deptype = 'n' and objsubid = 0),
    'prepared', (select coalesce(jsonb_agg(quote_ident(name)), '[]') from pg_prepared_statements where from_sql),
    'cursors', (select coalesce(jsonb_agg(quote_ident(name)), '[]') from pg_cursors where name <> ''),
    'locks', (
      select coalesce(jsonb_agg(jsonb_build_object('shared', mode = 'ShareLock', 'key',
        case objsubid when 1 then ((classid::bigint << 32) | objid::bigint)::text else classid::bigint::bit(32)::int || ', ' || objid::bigint::bit(32)::int end)), '[]')
      from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted),
    'channels', (select coalesce(jsonb_agg(quote_ident(name)), '[]') from pg_listening_channels() name),
    'custom', (select coalesce(jsonb_object_agg(name, current_setting(name, true)), '{}') from custom),
    'composes', exists (
      select from code where prosrc ~* $re$${forServer(composedSetting)}$re$
        or (prosrc ~* $re$${forServer(composedSql)}$re$ and prosrc ~* $re$${forServer(setting)}$re$)),
    'seeds', exists (select from code where prosrc ~* $re$${forServer(seed)}$re$),
    'mentioned', (
      select coalesce(jsonb_agg(name), '[]') from (
        select (regexp_matches(prosrc, $re$${forServer(channel)}$re$, 'gi'))[1] as name from code) listened)
  )::text as state`;
