import { findSqlState } from '../../session/find-sql-state.ts';
import type { Session } from '../../session/session.ts';
import type { ActingStatement } from '../../sql/statement-actions.ts';
import type { Snapshot } from './snapshot.ts';

/** A part of a plan, as `explain` prints it. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

/**
 * Returns the tables that an UPDATE, DELETE or MERGE reads as a whole: those that its plan scans although any index would be preferred.
 * Asks the server in the open transaction of `session`.
 */
export async function tablesRead(
  session: Session,
  { text, actions }: ActingStatement,
  { relations }: Snapshot,
): Promise<number[]> {
  if (!actions.some(({ kind }) => kind === 'update' || kind === 'delete' || kind === 'merge')) return [];
  await session.query('savepoint lint_plan');
  try {
    await session.query('set local enable_seqscan = off');
    const [row] = await session.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `explain (format json, verbose) ${text}`,
    );
    const nodes = (row?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => nodesOf(Plan)).filter(isWholeScan);
    return [...relations.values()].flatMap(({ oid, schema, name }) =>
      nodes.some((node) => node.Schema === schema && node['Relation Name'] === name) ? [oid] : [],
    );
  } catch (error) {
    if (findSqlState(error) === '') throw error;
    // The statement itself fails with the same error, or it has parameters.
    return [];
  } finally {
    await session.query('rollback to savepoint lint_plan');
  }
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function isWholeScan(node: PlanNode): boolean {
  const type = node['Node Type'];
  return type === 'Seq Scan' || (/^Index (?:Only )?Scan$/.test(type) && node['Index Cond'] === undefined);
}
