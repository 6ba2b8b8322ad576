import type { Session } from '../../session/session.ts';
import type { Changes, Layer } from './changes.ts';
import { columnPart, type Part } from './part.ts';
import { UnknownError } from './precheck.ts';
import type { Relation } from './relation.ts';

/** What a statement's questions are derived with. */
export interface Context {
  readonly session: Session;
  readonly changes: Changes;
  /** PostgreSQL's version: 180000 for 18. */
  readonly version: number;
}

/**
 * Returns the FROM item that has a table's rows as they will be at the statement, under the table's name, for a query with these parts.
 * `only` leaves out children and partitions.
 *
 * @throws UnknownError when an earlier statement changes what the parts refer to, or a part calls volatile code.
 */
export async function rowsFor(
  { session, changes }: Context,
  relation: Relation,
  parts: readonly Part[],
  { only = false }: { readonly only?: boolean } = {},
): Promise<string> {
  changes.requireRows(relation);
  await requireStable(session, changes, parts);
  const table = only && relation.kind === 'r' ? `only ${relation.quoted}` : relation.quoted;
  const layers = changes.layersOf(relation.oid);
  const columns = new Set(parts.flatMap(({ names }) => [...names.columns]));
  if (!layers.some((layer) => [...layer.keys()].some((name) => columns.has(name) || columns.has('*'))))
    return table;
  return layered(relation, table, layers, columns);
}

/**
 * Requires that parts give the same result now and at the statement, and run no code that may change anything.
 *
 * @throws UnknownError
 */
export async function requireStable(
  session: Session,
  changes: Changes,
  parts: readonly Part[],
): Promise<void> {
  const [functions, operators] = [new Set<string>(), new Set<string>()];
  for (const { names } of parts) {
    // A column may have the name of a table; its own changes are in the layers.
    changes.requireUnchanged(
      [...names.all].filter((name) => !names.columns.has(name) || names.functions.has(name)),
    );
    for (const name of names.functions) functions.add(name);
    for (const name of names.operators) operators.add(name);
  }
  if (functions.size + operators.size === 0) return;
  const [code] = await session.query<{ name: string }>(
    `select proname as name from pg_proc where proname = any($1) and provolatile = 'v'
     union all select oprname from pg_operator o join pg_proc p on p.oid = oprcode where oprname = any($2) and provolatile = 'v'`,
    [[...functions], [...operators]],
  );
  if (code) throw new UnknownError(`it calls ${code.name}, which is volatile`);
}

function layered(
  relation: Relation,
  table: string,
  layers: readonly Layer[],
  columns: ReadonlySet<string>,
): string {
  let from = table;
  const known = new Map(relation.columns.map(({ name, quoted }) => [name, quoted]));
  const unknown = new Map<string, string>();
  for (const layer of layers) {
    // A value is computed from the columns before.
    const before = new Map(unknown);
    const items: string[] = [];
    for (const [name, column] of layer) {
      const reason =
        'unknown' in column
          ? column.unknown
          : [...column.value.names.columns].map((one) => before.get(one)).find(Boolean);
      if (reason !== undefined) {
        unknown.set(name, reason);
        known.delete(name);
        continue;
      }
      unknown.delete(name);
      if ('value' in column) items.push(`${column.value.sql} as ${columnPart(relation, name).sql}`);
    }
    const kept = [...known].flatMap(([name, quoted]) => (layer.has(name) ? [] : [quoted]));
    for (const name of layer.keys()) if (!unknown.has(name)) known.set(name, columnPart(relation, name).sql);
    from = `(select ${[...kept, ...items].join(', ')} from ${from}) as ${columnPart(relation, relation.name).sql}`;
  }
  for (const [name, reason] of unknown)
    if (columns.has(name) || columns.has('*')) throw new UnknownError(reason);
  return from;
}
