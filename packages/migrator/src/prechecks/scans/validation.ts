import { scansOf } from './conditions.ts';
import { answerable, asUnknown, constraintScans, notNullScans } from './constraint.ts';
import { orphansScan } from './orphans.ts';
import { printedPart } from '../rows/part.ts';
import type { Scan, Unknown } from '../rows/precheck.ts';
import { relationOf, type Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

interface Existing {
  readonly type: 'c' | 'f' | 'n';
  readonly isInherited: boolean;
  /** Of a CHECK, as the server prints it. */
  readonly expression: string | null;
  readonly columns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
  readonly match: string;
}

/** Returns the scans that count which rows a constraint refuses that is validated: an existing one, or one that this run adds. */
export async function validationScans(
  context: Context,
  relation: Relation,
  name: string,
  only: boolean,
): Promise<(Scan | Unknown)[]> {
  const added = context.changes.notValidOf(relation.oid, name);
  if (added) return constraintScans(context, { ...added, relation, column: null, only });
  const found = await existing(context, relation, name);
  if (!found) return [];
  if (found.type === 'n') return notNullScans(context, relation, found.columns, only);
  if (found.type === 'f') {
    const subject = `FOREIGN KEY ${name}`;
    return [
      await answerable('orphans', relation, subject, async () => {
        const parent = (await relationOf(context.session, found.parent)) ?? relation;
        return orphansScan(context, relation, { subject, ...found, parent, isFull: found.match === 'f' });
      }),
    ];
  }
  const part = await printedPart(found.expression ?? 'true');
  const question = { kind: 'violations', subject: `CHECK ${name}` } as const;
  try {
    const fails = `${part.sql} is false`;
    return await scansOf(context, [
      { ...question, relation, only: only || !found.isInherited, fails, parts: [part] },
    ]);
  } catch (error) {
    return [asUnknown(error, { ...question, table: relation.label })];
  }
}

async function existing(
  { session }: Context,
  { oid }: Relation,
  name: string,
): Promise<Existing | undefined> {
  const [found] = await session.query<Existing>(
    `select contype as type, not connoinherit as "isInherited", pg_get_expr(conbin, conrelid) as expression,
       ${columns('conrelid', 'conkey')} as columns, confrelid::text as parent, ${columns('confrelid', 'confkey')} as "parentColumns",
       confmatchtype as match
     from pg_constraint where conrelid = $1::oid and conname = $2 and contype in ('c', 'f', 'n') and not convalidated`,
    [oid, name],
  );
  return found;
}

/** Returns SQL for the names of a table's columns by their numbers. */
function columns(table: string, keys: string): string {
  return `array(select attname::text from unnest(${keys}) with ordinality key (number, place)
    join pg_attribute on attrelid = ${table} and attnum = number order by place)`;
}
