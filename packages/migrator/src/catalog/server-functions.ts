import type { Session } from '../session/session.ts';
import { serverFunctions } from '../sql/server-functions.ts';

/** The SQLSTATE of a function that acts on the whole server, on a scratch database. */
export const refusedOnScratch = 'MGS01';

/**
 * Replaces functions that act on the whole server by functions that throw, in the connected database alone. A superuser may do that;
 * another role has few of their privileges, and keeps them.
 */
export async function refuseServerFunctions(session: Session): Promise<void> {
  const [role] = await session.query<{ super: boolean }>(
    'select rolsuper as super from pg_roles where rolname = current_user',
  );
  if (!role?.super) return;
  const statements = await session.query<{ sql: string }>(
    // Inputs only: named results would clash with inputs of the same name.
    `select format('alter function pg_catalog.%1$I(%2$s) rename to %3$I;
         create function pg_catalog.%1$I(%4$s) returns %5$s language plpgsql as %6$L;',
       proname, pg_get_function_identity_arguments(p.oid), 'server_' || proname,
       (select string_agg(concat_ws(' ', quote_ident(proargnames[n]), format_type(type, null),
            case when n > pronargs - pronargdefaults then 'default null' end), ', ' order by n)
          from unnest(proargtypes) with ordinality given (type, n)),
       case when proretset then 'setof ' else '' end || format_type(prorettype, null),
       format('begin raise exception %L using errcode = %L; end', proname || ' acts on the whole server', $2::text)) as sql
     from pg_proc p where pronamespace = 'pg_catalog'::regnamespace and proname = any($1)`,
    [serverFunctions, refusedOnScratch],
  );
  for (const { sql } of statements) await session.query(sql);
}
