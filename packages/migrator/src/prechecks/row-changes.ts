import type { Node, RangeVar } from '../sql/grammar.ts';
import { namesInTree } from '../sql/names-in-tree.ts';
import type { NewColumn } from './rows/changes.ts';
import { affectedWith, findRelation, withCode, type Relation } from './rows/relation.ts';
import type { Context } from './rows/rows-for.ts';

/** Records which rows a statement changes, directly, by cascades, and possibly by code that it runs. */
export async function recordRowChanges(context: Context, node: Node, at: string): Promise<void> {
  const { changes, session } = context;
  const code = await volatileCode(context, node);
  if (code !== null) return changes.changeEverything(`${at} calls ${code}, which may change rows`);
  for (const { name, kind, columns } of targetsIn(node)) {
    if (changes.isNewTable(name.relname ?? '')) continue;
    const relation = await findRelation(session, name);
    if (!relation) {
      // A table that was renamed, or a name of the query.
      if (name.relname !== undefined)
        changes.changeEverything(`${at} changes rows of ${name.relname}, which is not known yet`);
      continue;
    }
    const oids = await affected(context, relation, kind);
    const trigger = oids.some((oid) => changes.hasNewCode(oid))
      ? relation.label
      : await withCode(session, oids);
    if (trigger !== null)
      return changes.changeEverything(
        `${at} changes rows of ${relation.label}, and code of ${trigger} may change more`,
      );
    const reason = `${at} changes rows of ${relation.label}`;
    if (kind === 'insert') for (const oid of oids) changes.insertRows(oid, reason);
    else if (kind === 'update' && columns && oids.length === 1)
      changes.addLayer(relation.oid, updated(relation, columns, reason));
    else for (const oid of oids) changes.changeRows(oid, reason);
  }
}

/** Returns the tables whose rows may change with those of one. */
async function affected(
  { changes, session }: Context,
  { oid }: Relation,
  kind: Target['kind'],
): Promise<string[]> {
  if (kind === 'insert') return affectedWith(session, [oid], { cascades: false });
  const found = new Set<string>();
  const rest = [oid];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (found.has(next)) continue;
    for (const one of [next, ...(await affectedWith(session, [next], { cascades: true }))]) {
      found.add(one);
      rest.push(...changes.cascadesFrom(one).filter((other) => !found.has(other)));
    }
  }
  return [...found];
}

function updated({ columns }: Relation, names: readonly string[], reason: string): Map<string, NewColumn> {
  const generated = columns.flatMap(({ name, isGenerated }) => (isGenerated ? [name] : []));
  return new Map([...names, ...generated].map((name) => [name, { unknown: reason }]));
}

interface Target {
  readonly name: RangeVar;
  readonly kind: 'insert' | 'update' | 'delete';
  /** The columns of an UPDATE; null when unknown. */
  readonly columns: readonly string[] | null;
}

/** Returns the tables whose rows a statement changes, those of its WITH queries included. */
function targetsIn(tree: unknown): Target[] {
  if (typeof tree !== 'object' || tree === null) return [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a node of the grammar, or a part of one, which has none of the names
  const own = targetsOf(tree as Node);
  return [...own, ...Object.values(tree).flatMap(targetsIn)];
}

function targetsOf(node: Node): Target[] {
  const target = (
    name: RangeVar | undefined,
    kind: Target['kind'],
    columns: Target['columns'] = null,
  ): Target[] => (name ? [{ name, kind, columns }] : []);
  if ('InsertStmt' in node) {
    const { relation, onConflictClause: conflict } = node.InsertStmt;
    return target(relation, conflict?.action === 'ONCONFLICT_UPDATE' ? 'delete' : 'insert');
  }
  if ('UpdateStmt' in node) {
    const { relation, targetList = [] } = node.UpdateStmt;
    const columns = targetList.map((one) => ('ResTarget' in one ? (one.ResTarget.name ?? null) : null));
    return target(relation, 'update', columns.includes(null) ? null : columns.flatMap((name) => name ?? []));
  }
  if ('DeleteStmt' in node) return target(node.DeleteStmt.relation, 'delete');
  if ('MergeStmt' in node) return target(node.MergeStmt.relation, 'delete');
  if ('CopyStmt' in node)
    return node.CopyStmt.is_from === true ? target(node.CopyStmt.relation, 'insert') : [];
  if ('TruncateStmt' in node)
    return (node.TruncateStmt.relations ?? []).flatMap((one) =>
      'RangeVar' in one ? target(one.RangeVar, 'delete') : [],
    );
  if ('SelectStmt' in node) return target(node.SelectStmt.intoClause?.rel, 'insert');
  return [];
}

// They change a sequence or a lock, and no row.
const harmless: ReadonlySet<string> = new Set([
  'setval',
  'nextval',
  'currval',
  'lastval',
  'random',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'uuid_generate_v4',
  'clock_timestamp',
  'timeofday',
  'statement_timestamp',
  'pg_advisory_xact_lock',
  'pg_advisory_lock',
  'pg_advisory_unlock',
  'pg_sleep',
  'pg_notify',
]);

/** Returns a function that a statement calls and that may change rows: a volatile one, or one that does not exist yet; null without one. */
async function volatileCode({ session, changes }: Context, node: Node): Promise<string | null> {
  const names = [...namesInTree(node).functions].filter((name) => !harmless.has(name));
  const [schema] =
    names.length === 0
      ? []
      : await session.query<{ name: string }>(
          `select name from unnest($1::text[]) name where name <> 'pg_catalog' and not exists (select from pg_namespace where nspname = name)
       and (not exists (select from pg_proc where proname = name) or exists (select from pg_proc where proname = name and provolatile = 'v'))`,
          [names],
        );
  if (schema) return schema.name;
  try {
    changes.requireUnchanged(names);
    return null;
  } catch {
    return names[0] ?? null;
  }
}
