import type { ColumnDef, Constraint, Node } from '../../sql/grammar.ts';
import { namesInTree, stringsOf } from '../../sql/names-in-tree.ts';
import { quoteText } from '../../sql/quote-names.ts';
import type { SourceText } from '../../sql/source-text.ts';
import type { NewColumn } from '../rows/changes.ts';
import { typeText } from './conversion.ts';
import { partOf, printedPart, type Part } from '../rows/part.ts';
import { UnknownError } from '../rows/precheck.ts';
import { requireStable, type Context } from '../rows/rows-for.ts';

/** A column that a statement adds. */
export interface AddedColumn {
  readonly name: string;
  readonly column: NewColumn;
  /** Whether it refuses NULL, by its own NOT NULL or that of its domain. */
  readonly isNotNull: boolean;
  /** Whether it is NULL in each row of before. */
  readonly isNull: boolean;
  readonly constraints: readonly Constraint[];
}

/** Returns the column that `add column` adds, with the value that it has in each row of before. */
export async function addedColumn(
  context: Context,
  source: SourceText,
  { colname: name = '', typeName, constraints = [] }: ColumnDef,
): Promise<AddedColumn> {
  const all = constraints.flatMap((one) => ('Constraint' in one ? [one.Constraint] : []));
  const has = (type: Constraint['contype']): Constraint | undefined =>
    all.find(({ contype }) => contype === type);
  const isSerial = /^(?:small|big)?serial[248]?$/.test(stringsOf(typeName?.names).join('.'));
  const value = has('CONSTR_GENERATED') ?? has('CONSTR_DEFAULT');
  const computed = has('CONSTR_IDENTITY') ?? (isSerial ? {} : undefined);
  const domain = computed ? null : await domainOf(context, source, typeName);
  return {
    name,
    constraints: all,
    isNotNull: has('CONSTR_NOTNULL') !== undefined || domain?.isNotNull === true,
    isNull: !computed && !value && domain?.value == null,
    column: computed
      ? { unknown: `${name} is added before it, with a value from a sequence` }
      : await valueOf(context, source, typeName, value?.raw_expr, domain?.value ?? null).catch(
          (error: unknown) => {
            if (error instanceof UnknownError) return { unknown: error.message };
            throw error;
          },
        ),
  };
}

interface Domain {
  readonly isNotNull: boolean;
  /** Its default, as the server prints it. */
  readonly value: string | null;
}

async function domainOf(
  { session }: Context,
  source: SourceText,
  typeName: ColumnDef['typeName'],
): Promise<Domain | null> {
  const type = typeName ? await source.type(typeName) : null;
  if (type === null) return null;
  const [domain] = await session.query<Domain>(
    `select typnotnull as "isNotNull", typdefault as value from pg_type where oid = to_regtype($1) and typtype = 'd'`,
    [type],
  );
  return domain ?? null;
}

async function valueOf(
  { session, changes }: Context,
  source: SourceText,
  typeName: ColumnDef['typeName'],
  expression: Node | undefined,
  ofDomain: string | null,
): Promise<NewColumn> {
  if (!typeName) throw new UnknownError('its type is not found in its text');
  const value = expression
    ? await partOf(source, expression)
    : ofDomain === null
      ? null
      : await printedPart(ofDomain);
  const type = await typeText(source, typeName);
  // A NULL of a domain that refuses it can't be made.
  if (!value)
    return {
      value: {
        sql: (await isKnownBase(session, type)) ? `null::${type}` : 'null::text',
        names: namesInTree(null),
      },
    };
  const part: Part = { sql: `(${value.sql}::${type})`, names: value.names };
  await requireStable(session, changes, [{ sql: type, names: namesInTree(typeName) }, part]);
  return { value: part };
}

async function isKnownBase(session: Context['session'], type: string): Promise<boolean> {
  const [known] = await session.query(
    `select from pg_type where oid = to_regtype(${quoteText(type)}) and typtype <> 'd'`,
  );
  return known !== undefined;
}
