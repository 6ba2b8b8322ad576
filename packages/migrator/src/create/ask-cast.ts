import { isLostConnection } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';
import { sampleValues } from './sample-values.ts';

/** How PostgreSQL changes values of one type into another. */
export interface Cast {
  /** Whether `alter column … type` needs no `using`. */
  readonly isAssignment: boolean;
  /** Returns the new value of an expression. */
  readonly convert: (value: string) => string;
  /** Returns a condition that a value comes back equal from the other type; null where PostgreSQL has no way back. */
  readonly returns: ((value: string) => string) | null;
  /** Whether every value stays as it is. */
  readonly keepsValues: boolean;
  /** What of the session the result depends on; null where it is always the same. */
  readonly dependsOn: SessionDependency | null;
}

/** `lc_monetary` is the locale of amounts of money. */
export type SessionDependency = 'time zone' | 'lc_monetary' | 'settings';

/**
 * Asks the scratch database how it changes a type; null if it can't. `session` is in a transaction, whose changes are rolled back.
 *
 * Values stay if PostgreSQL doesn't even rewrite a table, or if it casts between different types without being asked, and all sample
 * values come back equal.
 */
export async function askCast(session: Session, from: string, to: string): Promise<Cast | null> {
  await session.query('savepoint before_cast');
  try {
    await session.query(`create temp table migrator_cast (v ${from})`);
    const [before] = await session.query<{ file: string }>(fileQuery);
    const isAssignment = await succeeds(session, `alter table migrator_cast alter column v type ${to}`);
    const [after] = await session.query<{ file: string }>(fileQuery);
    const convert = isAssignment ? cast(to) : await explicitCast(session, from, to);
    const back = await explicitCast(session, to, from);
    if (!convert) return null;
    const returns = back && (await comparison(session, from, convert, back));
    const { implicit = false, dependency = null } = (await castFacts(session, from, to)) ?? {};
    const isUnchanged = isAssignment && before?.file === after?.file;
    const dependsOn = (await holdsMoney(session, from, to))
      ? 'lc_monetary'
      : (await dependsOnZone(session, { from, to, convert, returns }))
        ? 'time zone'
        : dependency;
    const keepsValues =
      dependsOn === null &&
      (isUnchanged || (implicit && returns !== null && (await samplesReturn(session, from, returns))));
    return { isAssignment, convert, returns, keepsValues, dependsOn };
  } finally {
    await session.query('rollback to before_cast');
  }
}

const fileQuery = `select pg_relation_filenode('migrator_cast')::text as file`;

function cast(...types: readonly string[]): (value: string) => string {
  return (value) => [value, ...types].join('::');
}

/** Returns an explicit cast; by way of text between native enums, and back where only the other direction has a cast; null for none. */
async function explicitCast(
  session: Session,
  from: string,
  to: string,
): Promise<((value: string) => string) | null> {
  if (await succeeds(session, `select null::${from}::${to}`)) return cast(to);
  const isDetour =
    (await areEnums(session, from, to)) || (await succeeds(session, `select null::${to}::${from}`));
  return isDetour ? cast('text', to) : null;
}

async function comparison(
  session: Session,
  from: string,
  convert: (value: string) => string,
  back: (value: string) => string,
): Promise<((value: string) => string) | null> {
  const there = (value: string) => `(${back(`(${convert(value)})`)})`;
  // Some types, such as json, have no equality.
  const forms = [
    (value: string) => `${there(value)} is not distinct from ${value}`,
    (value: string) => `${there(value)}::text is not distinct from ${value}::text`,
  ];
  for (const form of forms) if (await succeeds(session, `select ${form(`null::${from}`)}`)) return form;
  return null;
}

async function areEnums(session: Session, ...types: readonly string[]): Promise<boolean> {
  const found = await session.query(
    `select from pg_type where oid = any($1::text[]::regtype[]::oid[]) and typtype = 'e'`,
    [types],
  );
  return found.length === types.length;
}

interface CastFacts {
  readonly implicit: boolean;
  /** What its function depends on, which is not immutable. */
  readonly dependency: Exclude<SessionDependency, 'lc_monetary'> | null;
}

/** Returns what the catalog says of a cast between two types, which does not depend on their lengths; undefined where it has no cast. */
async function castFacts(session: Session, from: string, to: string): Promise<CastFacts | undefined> {
  const [found] = await session.query<CastFacts>(
    // A cast of a type to itself applies a length, which may be shorter.
    `select castcontext = 'i' and castsource <> casttarget and casttarget::regtype::text = $2::text as implicit,
       case when provolatile <> 'i' then
         case when exists (select from pg_type t where t.oid in (castsource, casttarget) and typcategory = 'D') then 'time zone' else 'settings' end
       end as dependency
     from pg_cast left join pg_proc p on p.oid = castfunc
     where castsource = $1::text::regtype and casttarget = $2::text::regtype`,
    [from, to],
  );
  return found;
}

/** Whether one of some types is `money`, or an array, domain or range of it: its digits and its text depend on the locale. */
async function holdsMoney(session: Session, ...types: readonly string[]): Promise<boolean> {
  const found = await session.query(
    `with recursive part (type) as (
       select unnest($1::text[]::regtype[]::oid[])
       union select next.type from part join pg_type t on t.oid = part.type left join pg_range r on rngtypid = t.oid,
         unnest(array[typelem, typbasetype, rngsubtype]) next (type) where next.type <> 0
     )
     select from part where type = 'money'::regtype`,
    [types],
  );
  return found.length > 0;
}

async function samplesReturn(
  session: Session,
  from: string,
  returns: (value: string) => string,
): Promise<boolean> {
  for (const sample of sampleValues) {
    const value = `${sample}::${from}`;
    if (!(await succeeds(session, `select ${value}`))) continue;
    if (!(await succeeds(session, `select 1 / (${returns(`(${value})`)})::int`))) return false;
  }
  return true;
}

/**
 * Whether a sample value that comes back equal becomes another one in another time zone. The catalog has no cast of arrays, ranges, domains
 * and texts, whose elements or forms may depend on it.
 */
async function dependsOnZone(
  session: Session,
  {
    from,
    to,
    convert,
    returns,
  }: Pick<Cast, 'convert' | 'returns'> & { readonly from: string; readonly to: string },
): Promise<boolean> {
  await session.query(`set local time zone 'UTC'; create temp table migrator_zone (v ${from}, w ${to})`);
  for (const sample of sampleValues) {
    const value = `(${sample}::${from})`;
    const equal = returns ? ` where ${returns(value)}` : '';
    await succeeds(session, `insert into migrator_zone select ${value}, ${convert(value)}${equal}`);
  }
  await session.query(`set local time zone interval '+05:30' hour to minute`);
  const [found] = await session.query(
    `select from migrator_zone where (${convert('v')})::text is distinct from w::text limit 1`,
  );
  return found !== undefined;
}

async function succeeds(session: Session, sql: string): Promise<boolean> {
  await session.query('savepoint before_question');
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (isLostConnection(error)) throw error;
    await session.query('rollback to before_question');
    return false;
  }
}
