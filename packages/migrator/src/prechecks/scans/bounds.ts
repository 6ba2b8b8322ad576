import type { Node, PartitionBoundSpec } from '../../sql/grammar.ts';
import { parseSql } from '../../sql/parse-sql.ts';
import { SourceText } from '../../sql/source-text.ts';
import type { RowCondition } from './conditions.ts';
import { columnPart, partOf, printedPart, type Part } from '../rows/part.ts';
import { UnknownError } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** Returns the question whether the rows of a table fit into the bounds of the partition that it becomes. @throws UnknownError */
export async function fitsBounds(
  context: Context,
  source: SourceText,
  {
    parent,
    partition,
    bound,
  }: { readonly parent: Relation; readonly partition: Relation; readonly bound: PartitionBoundSpec },
): Promise<RowCondition> {
  const question = {
    kind: 'bounds',
    relation: partition,
    only: false,
    subject: `bounds of a partition of ${parent.label}`,
  } as const;
  if (bound.is_default === true) {
    const siblings = await siblingBounds(context, parent);
    const parts = await Promise.all(siblings.map(printedPart));
    return { ...question, parts, fails: parts.map(({ sql }) => sql).join(' or ') || 'false' };
  }
  const { inside, parts } = await insideOf(context, source, parent, bound);
  return { ...question, parts, fails: `(${inside}) is not true` };
}

/**
 * Returns the question whether rows of the default partition belong into a new one; null without a default partition.
 *
 * @throws UnknownError
 */
export async function leavesDefault(
  context: Context,
  source: SourceText,
  {
    parent,
    standard,
    bound,
  }: { readonly parent: Relation; readonly standard: Relation; readonly bound: PartitionBoundSpec },
): Promise<RowCondition> {
  const { inside, parts } = await insideOf(context, source, parent, bound);
  const subject = `bounds of a new partition of ${parent.label}`;
  return { kind: 'bounds', relation: standard, only: false, subject, parts, fails: `(${inside})` };
}

/** Returns the oid of a table's default partition; null without one. */
export async function defaultPartitionOf({ session }: Context, { oid }: Relation): Promise<string | null> {
  const [found] = await session.query<{ oid: string }>(
    'select partdefid::text as oid from pg_partitioned_table where partrelid = $1::oid and partdefid <> 0',
    [oid],
  );
  return found?.oid ?? null;
}

async function siblingBounds({ session }: Context, { oid }: Relation): Promise<string[]> {
  const rows = await session.query<{ bound: string | null }>(
    'select pg_get_partition_constraintdef(inhrelid) as bound from pg_inherits where inhparent = $1::oid',
    [oid],
  );
  return rows.flatMap(({ bound }) => bound ?? []);
}

interface Inside {
  /** SQL that is true for a row within the bounds. */
  readonly inside: string;
  readonly parts: readonly Part[];
}

async function insideOf(
  context: Context,
  source: SourceText,
  parent: Relation,
  bound: PartitionBoundSpec,
): Promise<Inside> {
  const keys = await partitionKeys(context, parent);
  const names = keys.map(({ sql }) => sql);
  if (bound.strategy === 'h')
    return {
      inside: `satisfies_hash_partition(${parent.oid}, ${bound.modulus ?? 0}, ${bound.remainder ?? 0}, ${names.join(', ')})`,
      parts: keys,
    };
  if (bound.strategy === 'l') {
    const [values, parts] = [bound.listdatums ?? [], [...keys]];
    const tests: string[] = [];
    for (const value of values) {
      if ('A_Const' in value && value.A_Const.isnull === true) tests.push(`${names[0]} is null`);
      else {
        const part = await partOf(source, value);
        parts.push(part);
        tests.push(`${names[0]} = ${part.sql}`);
      }
    }
    return { inside: tests.join(' or '), parts };
  }
  const [lower, upper] = [await limits(source, bound.lowerdatums), await limits(source, bound.upperdatums)];
  if (lower.length !== keys.length || upper.length !== keys.length)
    throw new UnknownError('its bounds have another number of columns than the key');
  const inside = [
    ...names.map((name) => `${name} is not null`),
    compared(names, lower, '>', 'true'),
    compared(names, upper, '<', 'false'),
  ].join(' and ');
  return {
    inside,
    parts: [...keys, ...[...lower, ...upper].flatMap((one) => (typeof one === 'string' ? [] : [one]))],
  };
}

/** Returns SQL that compares the key with a limit, column by column. */
function compared(
  names: readonly string[],
  limit: readonly Limit[],
  operator: '<' | '>',
  whenEqual: string,
): string {
  return names.reduceRight((rest, name, index) => {
    const value = limit[index];
    if (value === undefined) return rest;
    if (typeof value === 'string') return String((value === 'minvalue') === (operator === '>'));
    return `(${name} ${operator} ${value.sql} or (${name} = ${value.sql} and ${rest}))`;
  }, whenEqual);
}

type Limit = Part | 'minvalue' | 'maxvalue';

function limits(source: SourceText, values: readonly Node[] = []): Promise<Limit[]> {
  return Promise.all(
    values.map(async (value): Promise<Limit> => {
      const { fields: [field] = [] } = 'ColumnRef' in value ? value.ColumnRef : {};
      const word = field && 'String' in field ? field.String.sval : undefined;
      return word === 'minvalue' || word === 'maxvalue' ? word : partOf(source, value);
    }),
  );
}

/** Returns the key of a partitioned table, by PostgreSQL's print of it. */
async function partitionKeys({ session }: Context, parent: Relation): Promise<Part[]> {
  const [found] = await session.query<{ key: string }>('select pg_get_partkeydef($1::oid) as key', [
    parent.oid,
  ]);
  const sql = `create table partitioned () partition by ${found?.key ?? ''}`;
  const [statement] = (await parseSql(sql)) ?? [];
  if (!statement || !('CreateStmt' in statement.node))
    throw new UnknownError(`${parent.label} is not partitioned`);
  const source = await SourceText.of(sql);
  const { partParams = [] } = statement.node.CreateStmt.partspec ?? {};
  return Promise.all(
    partParams.map(async (param): Promise<Part> => {
      if (!('PartitionElem' in param)) throw new UnknownError('the partition key is not found');
      const { name, expr } = param.PartitionElem;
      return expr ? partOf(source, expr) : columnPart(parent, name ?? '');
    }),
  );
}
