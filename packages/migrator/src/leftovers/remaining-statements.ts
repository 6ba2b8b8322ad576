import type { Session } from '../session/session.ts';
import { classifyStandalone, type Standalone } from '../sql/classify-standalone.ts';
import type { Dropped } from './statement-target.ts';

/**
 * Returns the statements that are left to send for one that can't run in a transaction: the statement itself the first time; after an
 * interruption, statements that clean up or finish it; none if the server finished it. `dropped` is what `resolveStatementTarget` returned when it
 * was sent first.
 */
export async function remainingStatements(
  kind: Standalone,
  sql: string,
  session: Session,
  { interrupted, dropped }: { readonly interrupted: boolean; readonly dropped: Dropped | null },
): Promise<string[]> {
  switch (kind.kind) {
    case 'create index':
      return ofCreateIndex(kind, sql, session, interrupted);
    case 'drop index':
      return interrupted ? ofDropIndex(kind, sql, session, dropped) : [sql];
    case 'reindex':
      return interrupted ? [...(await dropInvalidIndexes(kind, session)), sql] : [sql];
    case 'detach partition':
      return interrupted ? ofDetachPartition(kind, sql, session) : [sql];
    case 'other':
    default:
      return [sql];
  }
}

/**
 * Checks that a statement had its effect, before it is recorded as done.
 *
 * @throws Error when an index is INVALID: `if not exists` skips an invalid one too.
 */
export async function requireValidIndex(kind: Standalone, session: Session): Promise<void> {
  if (kind.kind !== 'create index') return;
  const [invalid] = await session.query<{ name: string; table: string }>(
    `select format('%I.%I', nspname, i.relname) as name, indrelid::regclass::text as table
     from pg_class t join pg_namespace on pg_namespace.oid = t.relnamespace
       join pg_class i on i.relnamespace = t.relnamespace and i.relname = (parse_ident($2)::name[])[1]
       join pg_index on indexrelid = i.oid
     where t.oid = to_regclass($1) and not (indisvalid and indisready)`,
    [kind.table, kind.index],
  );
  if (invalid)
    throw new Error(
      `the index ${invalid.name} of ${invalid.table} is INVALID: drop index concurrently ${invalid.name}, and retry`,
    );
}

/** Returns the statements that drop the INVALID indexes which an unfinished statement has left; none for any that builds no index. */
export async function remainingIndexes(sql: string, session: Session): Promise<string[]> {
  const kind = await classifyStandalone(sql);
  if (kind?.kind === 'reindex') return dropInvalidIndexes(kind, session);
  if (kind?.kind !== 'create index') return [];
  return (await remainingStatements(kind, sql, session, { interrupted: true, dropped: null })).filter(
    (statement) => statement !== sql,
  );
}

async function ofCreateIndex(
  kind: Standalone & { kind: 'create index' },
  sql: string,
  session: Session,
  interrupted: boolean,
): Promise<string[]> {
  // An index is created in its table's schema, independent of the search path. The server truncates long names.
  const [index] = await session.query<{ name: string; valid: boolean; attached: boolean }>(
    `select format('%I.%I', nspname, relname) as name, indisvalid and indisready as valid,
       exists (select from pg_inherits where inhrelid = indexrelid) as attached
     from pg_index join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
     where indrelid = to_regclass($1) and relname = (parse_ident($2)::name[])[1]`,
    [kind.table, kind.index],
  );
  // One that belongs to the index of a partitioned table can't be dropped.
  if (index?.valid === false)
    return index.attached
      ? [`reindex index concurrently ${index.name}`]
      : [`drop index concurrently ${index.name}`, sql];
  return interrupted && index !== undefined ? [] : [sql];
}

async function ofDropIndex(
  { index }: Standalone & { kind: 'drop index' },
  sql: string,
  session: Session,
  dropped: Dropped | null,
): Promise<string[]> {
  if (dropped === null) {
    const [found] = await session.query('select 1 from pg_class where oid = to_regclass($1)', [index]);
    return found ? [sql] : [];
  }
  const [left] = await session.query<{ name: string }>(
    `select format('%I.%I', nspname, relname) as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where pg_class.oid = $1::oid and relkind in ('i', 'I')`,
    [dropped.oid],
  );
  return left ? [`drop index concurrently ${left.name}`] : [];
}

/** Returns statements that drop the invalid indexes (`…_ccnew`, `…_ccold`) of an interrupted REINDEX CONCURRENTLY. */
export async function dropInvalidIndexes(
  { what, name }: Pick<Standalone & { kind: 'reindex' }, 'what' | 'name'>,
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
