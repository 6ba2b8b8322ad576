import type { PartitionBoundSpec } from '../../sql/grammar.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { defaultPartitionOf, leavesDefault } from './bounds.ts';
import { scansOf } from './conditions.ts';
import { asUnknown } from './constraint.ts';
import type { Scan, Unknown } from '../rows/precheck.ts';
import { relationOf, type Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** Returns the scan that counts which rows of the default partition a new partition would have to take over. */
export async function leavesDefaultScans(
  context: Context,
  source: SourceText,
  parent: Relation,
  bound: PartitionBoundSpec,
): Promise<(Scan | Unknown)[]> {
  const oid = bound.is_default === true ? null : await defaultPartitionOf(context, parent);
  const standard = oid === null ? null : await relationOf(context.session, oid);
  if (!standard) return [];
  try {
    context.changes.requireRows(parent);
    return await scansOf(context, [await leavesDefault(context, source, { parent, standard, bound })]);
  } catch (error) {
    const subject = `bounds of a new partition of ${parent.label}`;
    return [asUnknown(error, { kind: 'bounds', table: standard.label, subject })];
  }
}
