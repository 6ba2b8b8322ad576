import type { MikroORM } from '@mikro-orm/postgresql';
import { StatementError } from '../../errors.ts';
import { sqlStateOf } from '../../postgres/errors/translate-error.ts';

/** What the statements of one call have cost the server since its statistics were reset. Times are milliseconds. */
export interface CallStatistics {
  /** The method of a repository or of the entity manager, or the function; null for statements that none of them sent. */
  readonly call: string | null;
  /** The number of different statements. */
  readonly statements: number;
  /** How often they were executed. */
  readonly executions: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
  readonly rows: number;
  /** The part of the pages that were read from the server's buffers, 0 to 1; null when no page was read. */
  readonly cached: number | null;
}

/** The statistics of a database by call, the most expensive first. */
export interface Insights {
  /** When the server began to count. */
  readonly since: Date | null;
  /** The number of statements whose texts the role may not read. They are not in `calls`. */
  readonly hidden: number;
  readonly calls: readonly CallStatistics[];
}

const howToInstall =
  'add it to shared_preload_libraries, restart the server, and run: create extension pg_stat_statements';

/**
 * Returns the statistics of `pg_stat_statements` for the connected database, by the calls that sent the statements. A statement that several
 * calls send has one entry, with the call that sent it first. Reads only.
 *
 * @throws StatementError when the server has no `pg_stat_statements`, with what to do.
 */
export async function readInsights(orm: MikroORM): Promise<Insights> {
  const send = <Row>(sql: string): Promise<Row[]> => orm.em.getConnection().execute<Row[]>(sql);
  const [extension] = await send<{ schema: string }>(
    `select quote_ident(nspname) as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
     where extname = 'pg_stat_statements'`,
  );
  if (!extension) throw new StatementError(`the database has no pg_stat_statements: ${howToInstall}`, {});
  try {
    const counted = await send<Counted>(countedBy(extension.schema));
    const [info] = await send<{ since: number }>(
      `select extract(epoch from stats_reset)::float8 as since from ${extension.schema}.pg_stat_statements_info`,
    );
    const hidden = counted.find(({ call }) => call === hiddenCall);
    return {
      since: info ? new Date(info.since * 1_000) : null,
      hidden: Number(hidden?.statements ?? 0),
      calls: counted.filter((row) => row !== hidden).map(statisticsOf),
    };
  } catch (error) {
    // The extension was created, and its library is not loaded.
    if (sqlStateOf(error) !== '55000') throw error;
    throw new StatementError(`pg_stat_statements does not count: ${howToInstall}`, {}, { cause: error });
  }
}

// No name of a call has a blank.
const hiddenCall = 'not readable';

interface Counted {
  readonly call: string | null;
  readonly statements: string;
  readonly executions: string;
  readonly total: number;
  readonly longest: number;
  readonly rows: string;
  readonly hits: string;
  readonly reads: string;
}

// The tag is behind the first word, as `taggedText` writes it.
function countedBy(schema: string): string {
  return `
    select case query when '<insufficient privilege>' then '${hiddenCall}'
        else substring(query from '^\\s*\\w+ /\\*([A-Za-z]+(?:\\.[A-Za-z]+)?)\\*/') end as call,
      count(*)::text as statements, sum(calls)::text as executions, sum(total_exec_time) as total, max(max_exec_time) as longest,
      sum(rows)::text as rows, sum(shared_blks_hit)::text as hits, sum(shared_blks_read)::text as reads
    from ${schema}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and query not like '%pg_stat_statements%'
    group by 1 order by total desc, call`;
}

function statisticsOf(row: Counted): CallStatistics {
  const executions = Number(row.executions);
  const hits = Number(row.hits);
  const pages = hits + Number(row.reads);
  return {
    call: row.call,
    statements: Number(row.statements),
    executions,
    totalMs: row.total,
    meanMs: executions === 0 ? 0 : row.total / executions,
    maxMs: row.longest,
    rows: Number(row.rows),
    cached: pages === 0 ? null : hits / pages,
  };
}
