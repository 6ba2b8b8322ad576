import type { Constraint } from '../../sql/grammar.ts';
import { stringsOf } from '../../sql/names-in-tree.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { isNull, scansOf, type RowCondition } from './conditions.ts';
import { duplicatesScan } from './duplicates.ts';
import { exclusionScan } from './exclusions.ts';
import { orphansScan } from './orphans.ts';
import { columnPart, partOf } from '../rows/part.ts';
import { UnknownError, type PrecheckKind, type Scan, type Unknown } from '../rows/precheck.ts';
import { findRelation, type Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** A constraint of a table, and where it is written. */
export interface TableConstraint {
  readonly source: SourceText;
  readonly relation: Relation;
  readonly constraint: Constraint;
  /** The column that it is written at; null for one of the table. */
  readonly column: string | null;
  /** Whether it is for the table without its children. */
  readonly only: boolean;
}

/** Returns the scans that count which rows a constraint refuses. */
export async function constraintScans(context: Context, given: TableConstraint): Promise<(Scan | Unknown)[]> {
  const { constraint, column, relation, source } = given;
  if (constraint.is_enforced === false && constraint.contype !== 'CONSTR_UNIQUE') return [];
  const columns = (names: Constraint['keys']): string[] => (column === null ? stringsOf(names) : [column]);
  switch (constraint.contype) {
    case 'CONSTR_NOTNULL':
      return notNullScans(context, relation, columns(constraint.keys), given.only);
    case 'CONSTR_CHECK':
      return checkScans(context, given);
    case 'CONSTR_PRIMARY':
    case 'CONSTR_UNIQUE': {
      if (constraint.indexname !== undefined) return [];
      const isPrimary = constraint.contype === 'CONSTR_PRIMARY';
      const names = columns(constraint.keys);
      const subject = `${isPrimary ? 'PRIMARY KEY' : 'UNIQUE'} (${names.join(', ')})`;
      return [
        await answerable('duplicates', relation, subject, () => {
          if (constraint.without_overlaps === true) throw new UnknownError('WITHOUT OVERLAPS is not counted');
          return duplicatesScan(context, relation, {
            subject,
            keys: names.map((name) => columnPart(relation, name)),
            where: null,
            nullsNotDistinct: constraint.nulls_not_distinct ?? false,
            ...(isPrimary && { nulls: subject }),
          });
        }),
      ];
    }
    case 'CONSTR_FOREIGN':
      return [await foreignScan(context, given, columns(constraint.fk_attrs))];
    case 'CONSTR_EXCLUSION': {
      const subject = `EXCLUDE ${constraint.conname ?? ''}`.trim();
      return [
        await answerable('conflicts', relation, subject, () =>
          exclusionScan(context, source, relation, constraint, subject),
        ),
      ];
    }
    case 'CONSTR_NULL':
    case 'CONSTR_DEFAULT':
    case 'CONSTR_IDENTITY':
    case 'CONSTR_GENERATED':
    case 'CONSTR_ATTR_DEFERRABLE':
    case 'CONSTR_ATTR_NOT_DEFERRABLE':
    case 'CONSTR_ATTR_DEFERRED':
    case 'CONSTR_ATTR_IMMEDIATE':
    case 'CONSTR_ATTR_ENFORCED':
    case 'CONSTR_ATTR_NOT_ENFORCED':
    case undefined:
    default:
      return [];
  }
}

/** Returns the scan that counts NULLs. */
export function notNullScans(
  context: Context,
  relation: Relation,
  names: readonly string[],
  only: boolean,
): Promise<(Scan | Unknown)[]> {
  return scansOf(
    context,
    names.map((name) => notNull(relation, name, only)),
  );
}

/** Returns the question whether a column has a NULL. */
export function notNull(relation: Relation, name: string, only: boolean): RowCondition {
  const part = columnPart(relation, name);
  return {
    kind: 'nulls',
    subject: `NOT NULL of ${name}`,
    relation,
    only,
    fails: isNull(relation, part),
    parts: [part],
  };
}

async function checkScans(
  context: Context,
  { source, relation, constraint, only }: TableConstraint,
): Promise<(Scan | Unknown)[]> {
  const { conname, raw_expr: expression, is_no_inherit: noInherit = false } = constraint;
  const subject = `CHECK ${conname ?? ''}`.trim();
  const found = { kind: 'violations', subject } as const;
  if (!expression) return [];
  try {
    const part = await partOf(source, expression);
    const fails = `${part.sql} is false`;
    return await scansOf(context, [{ ...found, relation, only: only || noInherit, fails, parts: [part] }]);
  } catch (error) {
    return [asUnknown(error, { ...found, table: relation.label })];
  }
}

async function foreignScan(
  context: Context,
  { relation, constraint }: TableConstraint,
  columns: readonly string[],
): Promise<Scan | Unknown> {
  const { pktable, pk_attrs: keys, fk_matchtype: match, fk_with_period: withPeriod } = constraint;
  const subject = `FOREIGN KEY (${columns.join(', ')}) to ${pktable?.relname ?? ''}`;
  return answerable('orphans', relation, subject, async () => {
    if (withPeriod === true) throw new UnknownError('a foreign key with PERIOD is not counted');
    context.changes.requireUnchanged([pktable?.relname ?? '']);
    const parent = pktable ? await findRelation(context.session, pktable) : null;
    if (!parent) throw new UnknownError(`${pktable?.relname} does not exist yet`);
    const foreignKey = { subject, columns, parent, parentColumns: stringsOf(keys), isFull: match === 'f' };
    return orphansScan(context, relation, foreignKey);
  });
}

/** Returns what `scan` does, or the question as one that can't be answered. */
export async function answerable(
  kind: PrecheckKind,
  { label }: Relation,
  subject: string,
  scan: () => Promise<Scan> | Scan,
): Promise<Scan | Unknown> {
  try {
    return await scan();
  } catch (error) {
    return asUnknown(error, { kind, table: label, subject });
  }
}

/** Returns a question that can't be answered. @throws what is not an `UnknownError`. */
export function asUnknown(error: unknown, question: Unknown['questions'][number]): Unknown {
  if (!(error instanceof UnknownError)) throw error;
  return { questions: [question], reason: error.message };
}
