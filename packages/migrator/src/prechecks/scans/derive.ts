import type { AlterDomainStmt, CreateStmt, IndexStmt } from '../../sql/grammar.ts';
import { stringsOf } from '../../sql/names-in-tree.ts';
import { SourceText } from '../../sql/source-text.ts';
import type { ParsedStatement } from '../../sql/parse-sql.ts';
import { alterTableScans } from './alter-table.ts';
import { scansOf } from './conditions.ts';
import { answerable } from './constraint.ts';
import { domainConditions, findDomain } from './domains.ts';
import { duplicatesScan, keysOf } from './duplicates.ts';
import { leavesDefaultScans } from './new-partition.ts';
import { partOf, printedPart, type Part } from '../rows/part.ts';
import type { Scan, Unknown } from '../rows/precheck.ts';
import { findRelation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';

/** Returns the scans that count what a statement would fail on; none for most statements. */
export async function deriveScans(
  context: Context,
  { text, node }: ParsedStatement,
  at: string,
): Promise<(Scan | Unknown)[]> {
  if ('AlterTableStmt' in node && node.AlterTableStmt.objtype === 'OBJECT_TABLE')
    return alterTableScans(context, await SourceText.of(text), node.AlterTableStmt, at);
  if ('IndexStmt' in node) return indexScans(context, text, node.IndexStmt);
  if ('AlterDomainStmt' in node) return domainScans(context, text, node.AlterDomainStmt);
  if ('CreateStmt' in node) return partitionScans(context, text, node.CreateStmt);
  return [];
}

async function indexScans(
  context: Context,
  text: string,
  { unique, relation: name, idxname, if_not_exists: isOptional, ...index }: IndexStmt,
): Promise<(Scan | Unknown)[]> {
  if (unique !== true || !name || context.changes.isNewTable(name.relname ?? '')) return [];
  const relation = await findRelation(context.session, name);
  if (!relation || (name.inh !== true && relation.kind === 'p')) return [];
  if (isOptional === true && idxname !== undefined && (await hasIndex(context, relation.oid, idxname)))
    return [];
  const source = await SourceText.of(text);
  const subject = `unique index ${idxname ?? ''}`.trim();
  return [
    await answerable('duplicates', relation, subject, async () =>
      duplicatesScan(context, relation, {
        subject,
        keys: await keysOf(context, source, relation, index.indexParams ?? []),
        where: index.whereClause ? await partOf(source, index.whereClause) : null,
        nullsNotDistinct: index.nulls_not_distinct ?? false,
      }),
    ),
  ];
}

async function hasIndex({ session }: Context, oid: string, name: string): Promise<boolean> {
  const [found] = await session.query(
    `select from pg_class t join pg_class i on i.relnamespace = t.relnamespace where t.oid = $1::oid and i.relname = $2`,
    [oid, name],
  );
  return found !== undefined;
}

async function domainScans(
  context: Context,
  text: string,
  { subtype, typeName = [], def, name }: AlterDomainStmt,
): Promise<(Scan | Unknown)[]> {
  const domain = await findDomain(context, stringsOf(typeName));
  if (!domain) return [];
  const constraint = def && 'Constraint' in def ? def.Constraint : null;
  const ask = (subject: string, check: Part | null): Promise<(Scan | Unknown)[]> =>
    scansOf(context, domainConditions(domain, `${subject} of ${domain.label}`, check));
  if (subtype === 'O' || constraint?.contype === 'CONSTR_NOTNULL') return ask('NOT NULL', null);
  if (subtype === 'C' && constraint?.raw_expr) {
    const source = await SourceText.of(text);
    const { conname = '' } = constraint;
    if (constraint.skip_validation === true)
      context.changes.addNotValid(domain.oid, conname, { constraint, source });
    else return ask(`CHECK ${conname}`.trim(), await partOf(source, constraint.raw_expr));
  }
  if (subtype !== 'V') return [];
  const added = context.changes.notValidOf(domain.oid, name ?? '');
  if (added?.constraint.raw_expr)
    return ask(`CHECK ${name}`, await partOf(added.source, added.constraint.raw_expr));
  const [existing] = await context.session.query<{ expression: string }>(
    `select pg_get_expr(conbin, 0) as expression from pg_constraint
     where contypid = $1::oid and conname = $2 and contype = 'c' and not convalidated`,
    [domain.oid, name],
  );
  return existing ? ask(`CHECK ${name}`, await printedPart(existing.expression)) : [];
}

async function partitionScans(
  context: Context,
  text: string,
  { partbound, inhRelations: [parentName] = [], relation, if_not_exists: isOptional }: CreateStmt,
): Promise<(Scan | Unknown)[]> {
  if (!partbound || !parentName || !('RangeVar' in parentName)) return [];
  if (isOptional === true && relation && (await findRelation(context.session, relation))) return [];
  if (context.changes.isNewTable(parentName.RangeVar.relname ?? '')) return [];
  const parent = await findRelation(context.session, parentName.RangeVar);
  return parent ? leavesDefaultScans(context, await SourceText.of(text), parent, partbound) : [];
}
