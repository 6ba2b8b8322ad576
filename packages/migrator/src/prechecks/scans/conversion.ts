import type { ColumnDef, TypeName } from '../../sql/grammar.ts';
import { namesInTree, stringsOf } from '../../sql/names-in-tree.ts';
import { quoteText } from '../../sql/quote-names.ts';
import type { SourceText } from '../../sql/source-text.ts';
import type { RowCondition } from './conditions.ts';
import type { NewColumn } from '../rows/changes.ts';
import { columnPart, partOf, type Part } from '../rows/part.ts';
import { UnknownError } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import { requireStable, rowsFor, type Context } from '../rows/rows-for.ts';
import { inSavepoint } from '../rows/savepoint.ts';

/** What a change of a column's type does with its values. */
export interface Conversion {
  /** The question whether each value can be converted; null when every value can. */
  readonly condition: Omit<RowCondition, 'relation' | 'only'> | null;
  readonly column: NewColumn;
}

/** Returns what `alter column … type` converts. @throws UnknownError */
export async function conversionOf(
  context: Context,
  source: SourceText,
  relation: Relation,
  name: string,
  { typeName, raw_default: using }: ColumnDef,
): Promise<Conversion> {
  if (!typeName) throw new UnknownError('it has no type');
  const type = await typeText(source, typeName);
  const { changes, session } = context;
  const before = using ? await partOf(source, using) : columnPart(relation, name);
  const cast = using && 'TypeCast' in using ? using.TypeCast : null;
  const subject = `type ${type} of ${name}`;
  const labels = changes.labelsOf(stringsOf(typeName.names).at(-1) ?? '');
  if (labels && cast?.arg && sameType(cast.typeName, typeName)) {
    const value = await partOf(source, cast.arg);
    const fails = `${value.sql}::text <> all (array[${labels.map(quoteText).join(', ')}]::text[])`;
    return {
      condition: { kind: 'conversions', subject, fails, parts: [value] },
      column: { unknown: `its type ${type} is created in this run` },
    };
  }
  await requireStable(session, changes, [{ sql: type, names: namesInTree(typeName) }, before]);
  const value: Part = { sql: `(${before.sql}::${type})`, names: before.names };
  const column: NewColumn = { value };
  const explicit = cast?.arg !== undefined && sameType(cast.typeName, typeName);
  const given = explicit && cast?.arg ? await partOf(source, cast.arg) : before;
  const rows = await rowsFor(context, relation, [given]);
  const way = await wayOf(context, `(select ${given.sql} from ${rows} limit 0)`, type, explicit);
  const condition = (fails: string, part: Part): Conversion['condition'] => ({
    kind: 'conversions',
    subject,
    fails,
    parts: [part],
  });
  switch (way) {
    case 'none':
      return { condition: null, column };
    case 'input':
      return {
        condition: condition(`not pg_input_is_valid(${given.sql}::text, ${quoteText(type)})`, given),
        column,
      };
    case 'round':
      return { condition: condition(outOfRange(given.sql, type), given), column };
    case 'length':
      return { condition: condition(tooLong(given.sql, type), given), column };
    case 'bits':
      return { condition: condition(`(${given.sql})::${type}::text <> (${given.sql})::text`, given), column };
    case 'evaluate':
    default:
      // It is false for each value, or fails as the statement will.
      return { condition: condition(`num_nulls(${value.sql}) > 1`, value), column };
  }
}

/** Returns a type's text. @throws UnknownError */
export async function typeText(source: SourceText, type: TypeName): Promise<string> {
  const text = await source.type(type);
  if (text === null) throw new UnknownError('its type is not found in its text');
  return text;
}

function sameType(one: TypeName | undefined, other: TypeName): boolean {
  return withoutPlaces(one) === withoutPlaces(other);
}

function withoutPlaces(type: TypeName | undefined): string {
  return JSON.stringify(type, (key, value: unknown) => (key === 'location' ? undefined : value));
}

interface Types {
  readonly from: string;
  readonly to: string;
  readonly isText: boolean;
  readonly hasCast: boolean;
}

/** How values are compared with a type: by its input, by a range or a length, or by converting them, which shows the first that fails. */
type Way = 'none' | 'input' | 'round' | 'length' | 'bits' | 'evaluate';

const integers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8']);
// Their casts cut a longer value silently, but an assignment refuses it.
const lengths: ReadonlySet<string> = new Set(['varchar', 'bpchar', 'bit', 'varbit']);

async function wayOf(
  { session, version }: Context,
  value: string,
  type: string,
  explicit: boolean,
): Promise<Way> {
  const types = await inSavepoint(session, async () => {
    const [found] = await session.query<Types>(
      `with recursive base (oid, place) as (
         select pg_typeof(${value})::oid, 'from' union all select ${quoteText(type)}::regtype::oid, 'to'
         union all select typbasetype, place from base join pg_type t on t.oid = base.oid where typtype = 'd'
       ), plain as (
         select t.oid, place, typname, typcategory from base join pg_type t on t.oid = base.oid where typtype <> 'd'
       )
       select a.typname as "from", b.typname as "to", a.typcategory in ('S', 'X') as "isText",
         exists (select from pg_cast where castsource = a.oid and casttarget = b.oid) as "hasCast"
       from plain a, plain b where a.place = 'from' and b.place = 'to'`,
    );
    return found;
  });
  if (!types) return 'evaluate';
  const { from, to, isText, hasCast } = types;
  const input = version >= 160_000 ? 'input' : 'evaluate';
  if (explicit && lengths.has(to)) return 'none';
  if (lengths.has(to)) return version >= 160_000 ? 'input' : to.endsWith('bit') ? 'bits' : 'length';
  if (isText && !hasCast && (explicit || from !== to)) return input;
  if (integers.has(from) && integers.has(to)) return version >= 160_000 ? 'input' : 'round';
  if (from === 'numeric' && to === 'numeric') return input;
  if (['numeric', 'float4', 'float8'].includes(from) && integers.has(to)) return 'round';
  return 'evaluate';
}

const bounds: Readonly<Record<string, string>> = {
  smallint: '-32768 and 32767',
  int2: '-32768 and 32767',
  int: '-2147483648 and 2147483647',
  int4: '-2147483648 and 2147483647',
  integer: '-2147483648 and 2147483647',
};

function outOfRange(value: string, type: string): string {
  const range = bounds[type.toLowerCase()] ?? '-9223372036854775808 and 9223372036854775807';
  // Casts round, and NaN is greater than any number.
  return `round(${value}::numeric) not between ${range}`;
}

// An explicit cast cuts off what is too long; an assignment does so only with spaces.
function tooLong(value: string, type: string): string {
  const cut = `(${value})::${type}::text`;
  return `ltrim(substr((${value})::text, char_length(${cut}) + 1), ' ') <> ''`;
}
