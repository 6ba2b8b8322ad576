import type { Session } from '../../session/session.ts';
import { columnPart } from '../rows/part.ts';
import { UnknownError, type Scan } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import { requireStable, rowsFor, type Context } from '../rows/rows-for.ts';

/** A foreign key. */
export interface ForeignKeyScan {
  readonly subject: string;
  readonly columns: readonly string[];
  readonly parent: Relation;
  /** Empty for the primary key. */
  readonly parentColumns: readonly string[];
  readonly isFull: boolean;
}

/** Returns the scan that counts the rows which reference none. @throws UnknownError */
export async function orphansScan(
  context: Context,
  child: Relation,
  { subject, columns, parent, parentColumns, isFull }: ForeignKeyScan,
): Promise<Scan> {
  const { session, changes } = context;
  const referenced = parentColumns.length > 0 ? parentColumns : await primaryKeyOf(session, parent);
  if (referenced.length !== columns.length) throw new UnknownError(`${parent.label} has no such key yet`);
  const own = columns.map((name) => columnPart(child, name));
  const others = referenced.map((name) => columnPart(parent, name));
  changes.requireAllRows(parent);
  await requireStable(session, changes, others);
  const changed = changes.layersOf(parent.oid).some((layer) => referenced.some((name) => layer.has(name)));
  if (changed) throw new UnknownError(`the key of ${parent.label} is changed before it`);
  const rows = await rowsFor(context, child, own, { only: true });
  const from = `${asChild(rows)} left join ${await parentRows(session, parent, referenced, others)} on ${own
    .map(
      ({ sql }, index) =>
        `parent.${others[index]?.sql} = child.${sql}${collationOf(child, parent, columns[index], referenced[index])}`,
    )
    .join(' and ')}`;
  const list = own.map(({ sql }) => `child.${sql}`);
  const missing = `parent.${others[0]?.sql} is null`;
  const notNull = list.map((sql) => `${sql} is not null`);
  const fails =
    isFull && list.length > 1
      ? `num_nonnulls(${list.join(', ')}) > 0 and ${missing}`
      : `${notNull.join(' and ')} and ${missing}`;
  return {
    sql: `select count(*) as total, count(*) filter (where ${fails}) as found0 from ${from}`,
    questions: [
      {
        kind: 'orphans',
        oid: child.oid,
        table: child.label,
        subject,
        query: `select child.* from ${from} where ${fails}`,
      },
    ],
  };
}

// The rows of a table, or a query with the table's name.
function asChild(rows: string): string {
  return rows.startsWith('(') ? `(select * from ${rows}) as child` : `${rows} as child`;
}

/** Returns the parent's keys for the join, each once: they are unique only once there is an index. */
async function parentRows(
  session: Session,
  parent: Relation,
  names: readonly string[],
  keys: readonly { readonly sql: string }[],
): Promise<string> {
  const rows = parent.kind === 'r' ? `only ${parent.quoted}` : parent.quoted;
  const [unique] = await session.query(
    `select from pg_index where indrelid = $1::oid and indisunique and indisvalid and indpred is null and indexprs is null
       and indnkeyatts = $3 and (
         select array_agg(attname::text order by attname::text) from pg_attribute
         where attrelid = indrelid and attnum = any(indkey[0:indnkeyatts - 1])) = (
         select array_agg(name order by name) from unnest($2::text[]) name)`,
    [parent.oid, names, names.length],
  );
  if (unique) return `${rows} as parent`;
  return `(select distinct ${keys.map(({ sql }) => sql).join(', ')} from ${rows}) as parent`;
}

async function primaryKeyOf(session: Session, { oid }: Relation): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `select attname as name from pg_index, unnest(indkey[0:indnkeyatts - 1]) with ordinality key (number, place)
       join pg_attribute on attnum = number
     where indrelid = $1::oid and indisprimary and attrelid = indrelid order by place`,
    [oid],
  );
  return rows.map(({ name }) => name);
}

/** Returns the collation by which PostgreSQL compares, where the two columns have different ones. */
function collationOf(child: Relation, parent: Relation, own = '', other = ''): string {
  const [left, right] = [collationIn(child, own), collationIn(parent, other)];
  return left !== null && right !== null && left !== right ? ` collate ${right}` : '';
}

function collationIn({ columns }: Relation, wanted: string): string | null {
  return columns.find(({ name }) => name === wanted)?.collation ?? null;
}
