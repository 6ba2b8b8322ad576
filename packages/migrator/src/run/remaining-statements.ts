import type { Session } from '../session/session.ts';
import { classifyStandalone, type Standalone } from '../sql/classify-standalone.ts';

/**
 * Returns the statements that are left to send for one that can't run in a transaction: the statement itself the first time; after an
 * interruption, statements that clean up or finish it; none if the server finished it.
 */
export async function remainingStatements(
  kind: Standalone,
  sql: string,
  session: Session,
  interrupted: boolean,
): Promise<string[]> {
  switch (kind.kind) {
    case 'create index':
      return ofCreateIndex(kind, sql, session, interrupted);
    case 'drop index': {
      const [found] = await session.query('select 1 from pg_class where oid = to_regclass($1)', [kind.index]);
      return interrupted && !found ? [] : [sql];
    }
    case 'reindex':
      return interrupted ? [...(await dropInvalidIndexes(kind, session)), sql] : [sql];
    case 'detach partition':
      return interrupted ? ofDetachPartition(kind, sql, session) : [sql];
    case 'other':
    default:
      return [sql];
  }
}

/** Returns the statements that drop the INVALID index which a `create index concurrently` has left; none for any other statement. */
export async function remainingIndexes(sql: string, session: Session): Promise<string[]> {
  const kind = await classifyStandalone(sql);
  if (kind?.kind !== 'create index') return [];
  return (await ofCreateIndex(kind, sql, session, true)).filter((statement) => statement !== sql);
}

async function ofCreateIndex(
  kind: Standalone & { kind: 'create index' },
  sql: string,
  session: Session,
  interrupted: boolean,
): Promise<string[]> {
  // An index is created in its table's schema, independent of the search path.
  const [index] = await session.query<{ name: string; valid: boolean }>(
    `select format('%I.%I', nspname, relname) as name, indisvalid and indisready as valid
     from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
     where indrelid = to_regclass($1) and relname = (parse_ident($2))[1]`,
    [kind.table, kind.index],
  );
  if (index?.valid === false) return [`drop index concurrently ${index.name}`, sql];
  return interrupted && index !== undefined ? [] : [sql];
}

/** Returns statements that drop the invalid indexes (`…_ccnew`, `…_ccold`) of an interrupted REINDEX CONCURRENTLY. */
async function dropInvalidIndexes(
  { what, name }: Standalone & { kind: 'reindex' },
  session: Session,
): Promise<string[]> {
  const tables =
    what === 'index' || what === 'table'
      ? // Including the partitions of either.
        `select coalesce(i.indrelid, relid) from (
           select relid from pg_partition_tree(to_regclass($1)) union select to_regclass($1)
         ) part left join pg_index i on i.indexrelid = relid`
      : `select oid from pg_class where $1::text is null or relnamespace = to_regnamespace($1)`;
  const rows = await session.query<{ name: string }>(
    `select format('%I.%I', nspname, c.relname) as name
     from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
     where not indisvalid and c.relname ~ '_cc(new|old)\\d*$' and indrelid in (
       with chosen (oid) as (${tables})
       select oid from chosen union select reltoastrelid from pg_class where oid in (select oid from chosen))
     order by 1`,
    [what === 'database' || what === 'system' ? null : name],
  );
  // Another session may drop its own meanwhile.
  return rows.map((index) => `drop index concurrently if exists ${index.name}`);
}

async function ofDetachPartition(
  { table, partition }: Standalone & { kind: 'detach partition' },
  sql: string,
  session: Session,
): Promise<string[]> {
  const [link] = await session.query<{ pending: boolean }>(
    `select inhdetachpending as pending from pg_inherits
     where inhparent = to_regclass($1) and inhrelid = to_regclass($2)`,
    [table, partition],
  );
  if (!link) return [];
  return [link.pending ? `alter table ${table} detach partition ${partition} finalize` : sql];
}
