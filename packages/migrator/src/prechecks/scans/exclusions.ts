import type { Constraint } from '../../sql/grammar.ts';
import { stringsOf } from '../../sql/names-in-tree.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { keysOf } from './duplicates.ts';
import { partOf } from '../rows/part.ts';
import { UnknownError, type Scan } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import { requireStable, rowsFor, type Context } from '../rows/rows-for.ts';

/** Returns the scan that counts the rows which conflict with another one. @throws UnknownError */
export async function exclusionScan(
  context: Context,
  source: SourceText,
  relation: Relation,
  { exclusions = [], where_clause: predicate }: Constraint,
  subject: string,
): Promise<Scan> {
  const elements = exclusions.flatMap((pair) => {
    const [element, operator] = 'List' in pair ? (pair.List.items ?? []) : [];
    return element && operator && 'List' in operator
      ? [{ element, operator: stringsOf(operator.List.items) }]
      : [];
  });
  const keys = await keysOf(
    context,
    source,
    relation,
    elements.map(({ element }) => element),
  );
  const where = predicate ? await partOf(source, predicate) : null;
  const operators = elements.map(({ operator }) => operatorSql(operator));
  const rows = await rowsFor(context, relation, [...keys, ...(where ? [where] : [])], { only: true });
  if (rows.startsWith('(')) throw new UnknownError('an earlier statement changes its columns');
  await requireStable(context.session, context.changes, [
    {
      sql: '',
      names: {
        columns: new Set(),
        functions: new Set(),
        tables: [],
        operators: new Set(elements.flatMap(({ operator }) => operator.slice(-1))),
        all: new Set(elements.flatMap(({ operator }) => operator)),
      },
    },
  ]);
  const columns = keys.map(({ sql }, index) => `${sql} as k${index}`).join(', ');
  const keyed = `select ctid as place, tableoid as part, ${columns} from ${rows}${where ? ` where ${where.sql}` : ''}`;
  const conflict = operators
    .map((operator, index) => `one.k${index} ${operator} other.k${index}`)
    .join(' and ');
  const fails = `exists (select from (${keyed}) as other where (other.place, other.part) <> (one.place, one.part) and ${conflict})`;
  return {
    sql: `select (select count(*) from ${rows}) as total, count(*) as found0 from (${keyed}) as one where ${fails}`,
    questions: [
      {
        kind: 'conflicts',
        oid: relation.oid,
        table: relation.label,
        subject,
        query: `select * from ${rows} where ctid in (select one.place from (${keyed}) as one where ${fails})`,
      },
    ],
  };
}

function operatorSql(names: readonly string[]): string {
  const symbol = names.at(-1) ?? '';
  if (!/^[-+*/<>=~!@#%^&|`?]+$/.test(symbol)) throw new UnknownError(`${symbol} is no operator`);
  const schema = names.length > 1 ? `"${names[0]?.replaceAll('"', '""')}".` : '';
  return schema === '' ? symbol : `operator(${schema}${symbol})`;
}
