import type { IndexElem, Node } from '../../sql/grammar.ts';
import { stringsOf } from '../../sql/names-in-tree.ts';
import { quoteNames } from '../../sql/quote-names.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { columnPart, partOf, type Part } from '../rows/part.ts';
import { UnknownError, type Scan } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import { rowsFor, type Context } from '../rows/rows-for.ts';

/** A unique index, a unique constraint or a primary key. */
export interface UniqueKey {
  readonly subject: string;
  readonly keys: readonly Part[];
  readonly where: Part | null;
  readonly nullsNotDistinct: boolean;
  /** For a primary key, what a NULL in it is called in messages. */
  readonly nulls?: string;
}

/** Returns the keys of an index by its definition. @throws UnknownError */
export async function keysOf(
  context: Context,
  source: SourceText,
  relation: Relation,
  elements: readonly Node[],
): Promise<Part[]> {
  const keys: Part[] = [];
  for (const element of elements) {
    if (!('IndexElem' in element)) throw new UnknownError('its key is not that of an index');
    keys.push(await keyOf(context, source, relation, element.IndexElem));
  }
  return keys;
}

async function keyOf(
  { session, changes }: Context,
  source: SourceText,
  relation: Relation,
  { name, expr, collation = [], opclass = [] }: IndexElem,
): Promise<Part> {
  const part = expr ? await partOf(source, expr) : columnPart(relation, name ?? '');
  const names = stringsOf(opclass);
  changes.requireUnchanged([...names, ...stringsOf(collation)]);
  if (names.length > 0) await requireUsualEquality(session, names.at(-1) ?? '');
  return collation.length === 0
    ? part
    : { ...part, sql: `(${part.sql} collate ${quoteNames(stringsOf(collation))})` };
}

/** @throws UnknownError when an operator class compares in another way than the type's default, by which the query groups. */
async function requireUsualEquality(session: Context['session'], name: string): Promise<void> {
  const [other] = await session.query(
    `select from pg_opclass c join pg_am on pg_am.oid = opcmethod and amname = 'btree'
       join pg_amop o on amopfamily = opcfamily and amopstrategy = 3 and amoplefttype = opcintype and amoprighttype = opcintype
     where opcname = $1 and not exists (
       select from pg_opclass d join pg_amop e on e.amopfamily = d.opcfamily and e.amopstrategy = 3
       where d.opcmethod = c.opcmethod and d.opcdefault and e.amopopr = o.amopopr)`,
    [name],
  );
  if (other) throw new UnknownError(`the operator class ${name} compares in its own way`);
}

/** Returns the scan that counts rows with equal keys, and for a primary key those with a NULL. @throws UnknownError */
export async function duplicatesScan(
  context: Context,
  relation: Relation,
  { subject, keys, where, nullsNotDistinct, nulls }: UniqueKey,
): Promise<Scan> {
  const parts = [...keys, ...(where ? [where] : [])];
  // An index does not include the rows of children.
  const rows = await rowsFor(context, relation, parts, { only: true });
  const columns = keys.map(({ sql }) => sql).join(', ');
  const hasNull = keys.map((_, index) => `k${index} is null`).join(' or ');
  const counted = nullsNotDistinct ? 'is_in' : `is_in and not (${hasNull})`;
  const inner = keys
    // An expression may fail on rows outside the index.
    .map(({ sql }, index) => `${where ? `case when ${where.sql} then ${sql} end` : sql} as k${index}`)
    .join(', ');
  const names = keys.map((_, index) => `k${index}`).join(', ');
  const sql = `select coalesce(sum(n), 0) as total, coalesce(sum(n) filter (where n > 1 and ${counted}), 0) as found0${
    nulls === undefined ? '' : `, coalesce(sum(n) filter (where ${hasNull}), 0) as found1`
  } from (select is_in, ${names}, count(*) as n from (
      select ${where ? `${where.sql} is true` : 'true'} as is_in, ${inner} from ${rows}
    ) as keyed group by is_in, ${names}) as grouped`;
  const conditions = [
    ...(where ? [where.sql] : []),
    ...(nullsNotDistinct ? [] : keys.map((key) => `${key.sql} is not null`)),
  ];
  const filter = conditions.length > 0 ? ` where ${conditions.join(' and ')}` : '';
  const table = { oid: relation.oid, table: relation.label };
  return {
    sql,
    questions: [
      {
        ...table,
        kind: 'duplicates',
        subject,
        query: `select * from (select *, count(*) over (partition by ${columns}) as "rows with this key" from ${rows}${filter}) as keyed where "rows with this key" > 1 order by ${columns}`,
      },
      ...(nulls === undefined
        ? []
        : [
            {
              ...table,
              kind: 'nulls',
              subject: nulls,
              query: `select * from ${rows} where ${keys.map((key) => `${key.sql} is null`).join(' or ')}`,
            } as const,
          ]),
    ],
  };
}
