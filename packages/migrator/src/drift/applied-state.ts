import { exclusionsOf, printingSettings } from '../catalog/catalog.ts';
import { catalogQuery } from '../catalog/query.ts';
import type { MigratorTables } from '../ledger/tables.ts';
import type { Session } from '../session/session.ts';

/** What is applied, for a comparison by equality. */
interface AppliedState {
  /** The newest entry of the history that changed what is applied, and digests of the logs of all chains. */
  readonly applied: string;
  /** Whether a migration is unfinished, so that its next statement may have been sent. */
  readonly unfinished: boolean;
}

/** Reads a catalog and what is applied in one transaction. */
export interface CatalogReader {
  /** The values of `describedObjects`. */
  readonly values: readonly unknown[];
  state(): Promise<AppliedState>;
}

/** Selects every object of the schema with its parts, as the text of a JSON array. */
export const describedObjects = `select object,
    '[' || string_agg(concat('[', to_json(part), ', ', coalesce(position::text, 'null'), ', ', facts, ']'), ', ' order by position, part collate "C") || ']' as described
  from (${catalogQuery}) facts group by object`;

/**
 * Prepares the transaction of `session` to read the schema. The chains of a database share one record of the schema, because each of them
 * sees the objects of the others.
 */
export async function prepareReading(
  session: Session,
  schema: string,
  { log, history, progress }: MigratorTables,
): Promise<CatalogReader> {
  // A view can't be printed while a migration has locked its table.
  await session.query(`${printingSettings}; set local lock_timeout to 500`);
  const [, oids] = await exclusionsOf(session, schema, log);
  const logs = await session.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace
     where c.oid = any($1::oid[]) order by nspname, relname`,
    [oids],
  );
  const digests = logs.map(
    ({ name }) =>
      `(select encode(sha256(convert_to(string_agg(id || ' ' || name, ',' order by id), 'UTF8')), 'hex') from ${name})`,
  );
  return {
    // Chains may have their logs in different schemas.
    values: [schema, oids, null],
    async state() {
      const [state] = await session.query<AppliedState>(
        `select jsonb_build_object(
             'entry', (select max(id) from ${history} where outcome = 'done' and direction not in ('text', 'accept')),
             'logs', jsonb_build_object(${logs.map(({ name }, index) => `${literal(name)}, ${digests[index]}`).join(', ')}))::text as applied,
           exists (select from ${progress}) as unfinished`,
      );
      if (!state) throw new Error('the query returned no row');
      return state;
    },
  };
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
