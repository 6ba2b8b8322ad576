import type { Part } from '../rows/part.ts';
import { UnknownError, type Question, type Scan, type Unknown } from '../rows/precheck.ts';
import type { Relation } from '../rows/relation.ts';
import { rowsFor, type Context } from '../rows/rows-for.ts';

/** A question that each row answers alone. */
export interface RowCondition {
  readonly kind: Question['kind'];
  readonly subject: string;
  readonly relation: Relation;
  readonly only: boolean;
  /** True for a row that makes the statement fail. */
  readonly fails: string;
  readonly parts: readonly Part[];
  /** The FROM item, where it is not that of the table as earlier statements leave it. */
  readonly rows?: string;
}

/** Returns the scans that count conditions: one for those of the same rows. */
export async function scansOf(
  context: Context,
  conditions: readonly RowCondition[],
): Promise<(Scan | Unknown)[]> {
  const unknown: Unknown[] = [];
  const byRows = new Map<string, RowCondition[]>();
  for (const condition of conditions) {
    const { relation, parts, only, kind, subject } = condition;
    try {
      const from = await rowsFor(context, relation, parts, { only });
      const rows = condition.rows ?? from;
      byRows.set(rows, [...(byRows.get(rows) ?? []), condition]);
    } catch (error) {
      if (!(error instanceof UnknownError)) throw error;
      unknown.push({ questions: [{ kind, subject, table: relation.label }], reason: error.message });
    }
  }
  const counting = (rows: string, some: readonly RowCondition[]): string => {
    const counts = some.map(({ fails }, index) => `count(*) filter (where ${fails}) as found${index}`);
    return `select count(*) as total, ${counts.join(', ')} from ${rows}`;
  };
  const scans = [...byRows].map(([rows, some]): Scan => {
    return {
      sql: counting(rows, some),
      separate: some.map((condition) => counting(rows, [condition])),
      questions: some.map(({ kind, subject, relation, fails }) => ({
        kind,
        subject,
        oid: relation.oid,
        table: relation.label,
        query: `select * from ${rows}${fails === 'true' ? '' : ` where ${fails}`}`,
      })),
    };
  });
  return [...scans, ...unknown];
}

/** Returns SQL that is true where a value is NULL. */
export function isNull({ columns }: Relation, { sql, names }: Part): string {
  // A composite value without fields `is null` too, and NOT NULL accepts it.
  const isComposite = columns.some(
    ({ name, isComposite: composite }) => composite && names.columns.has(name),
  );
  return isComposite ? `num_nulls(${sql}) = 1` : `${sql} is null`;
}
