import type { RangeVar } from 'libpg-query';

/** The names in a tree of the grammar. */
export interface NamesInTree {
  /** The parts of the names of columns, and `*` for a whole row. */
  readonly columns: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
  readonly operators: ReadonlySet<string>;
  /** The tables that it reads or changes, but for those that are queries of its WITH. */
  readonly tables: readonly RangeVar[];
  /** Every name and operator, of tables and types too. */
  readonly all: ReadonlySet<string>;
}

/** Returns the names in a tree. */
export function namesInTree(tree: unknown): NamesInTree {
  const found: Found = {
    columns: new Set(),
    functions: new Set(),
    operators: new Set(),
    tables: [],
    queries: new Set(),
    all: new Set(),
  };
  collect(tree, found);
  const tables = found.tables.filter(
    ({ schemaname, relname }) => schemaname !== undefined || !found.queries.has(relname ?? ''),
  );
  return { ...found, tables };
}

interface Found {
  readonly columns: Set<string>;
  readonly functions: Set<string>;
  readonly operators: Set<string>;
  readonly tables: RangeVar[];
  /** The queries of WITH. */
  readonly queries: Set<string>;
  readonly all: Set<string>;
}

function collect(tree: unknown, found: Found): void {
  if (typeof tree !== 'object' || tree === null) return;
  if ('A_Star' in tree) found.columns.add('*');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the grammar's node of that name
  if ('RangeVar' in tree) found.tables.push(tree.RangeVar as RangeVar);
  for (const [key, value] of Object.entries(tree)) {
    if ((key === 'sval' || key === 'relname') && typeof value === 'string') found.all.add(value);
    if (key === 'ctename' && typeof value === 'string') found.queries.add(value);
    const into = { ColumnRef: found.columns, FuncCall: found.functions, A_Expr: found.operators }[key];
    if (into) for (const name of namesOf(value)) into.add(name);
    collect(value, found);
  }
}

/** Returns the parts of the name that a node of such a kind has. */
function namesOf(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const parts: unknown =
    'fields' in node ? node.fields : 'funcname' in node ? node.funcname : 'name' in node ? node.name : [];
  return stringsOf(parts);
}

/** Returns the strings of a list of nodes. */
export function stringsOf(nodes: unknown): string[] {
  if (!Array.isArray(nodes)) return [];
  return nodes.flatMap((node: unknown) => {
    if (typeof node !== 'object' || node === null || !('String' in node)) return [];
    const { String: text } = node;
    return typeof text === 'object' && text !== null && 'sval' in text && typeof text.sval === 'string'
      ? [text.sval]
      : [];
  });
}
