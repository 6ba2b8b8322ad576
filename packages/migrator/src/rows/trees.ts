/** A node of a parse tree, or a list of them. */
export type Tree = { readonly [key: string]: unknown };

/** Whether a value is a node or a list. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

/** Whether a value is a node of that kind. */
export function isNode<K extends string>(value: unknown, kind: K): value is Record<K, Tree> {
  return isTree(value) && kind in value && isTree(value[kind]);
}

/** Returns a text; null for anything else. */
export function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A constant of SQL. */
export interface Literal {
  readonly text: string;
  /** Whether it is a pattern of LIKE, or a regular expression. */
  readonly isPattern: boolean;
  readonly isNumber: boolean;
}

/** Returns the constants in a tree. */
export function literalsIn(tree: unknown, isPattern = false): Literal[] {
  if (!isTree(tree)) return [];
  if (Array.isArray(tree)) return tree.flatMap((one) => literalsIn(one, isPattern));
  if (isNode(tree, 'A_Const')) {
    const literal = literalOf(tree.A_Const);
    return literal === null ? [] : [{ ...literal, isPattern: isPattern && !literal.isNumber }];
  }
  if (isNode(tree, 'A_Expr')) {
    const { lexpr, rexpr } = tree.A_Expr;
    return [...literalsIn(lexpr), ...literalsIn(rexpr, isPattern || matches(tree.A_Expr))];
  }
  // A text in a statement of another kind, such as the body of a function.
  if (isNode(tree, 'String'))
    return [{ text: stringOf(tree.String['sval']) ?? '', isPattern: false, isNumber: false }].filter(
      ({ text }) => /\s/.test(text),
    );
  return Object.entries(tree).flatMap(([key, value]) => (names.has(key) ? [] : literalsIn(value, isPattern)));
}

// Parts of a node that hold names.
const names: ReadonlySet<string> = new Set(['funcname', 'fields', 'names', 'name']);

function matches(expression: Tree): boolean {
  const kind = stringOf(expression['kind']) ?? '';
  return /LIKE|SIMILAR/.test(kind) || /^!?~\*?$/.test(operatorOf(expression));
}

/** Returns the operator of an `A_Expr`. */
export function operatorOf({ name }: Tree): string {
  const last: unknown = Array.isArray(name) ? name.at(-1) : null;
  return isNode(last, 'String') ? (stringOf(last.String['sval']) ?? '') : '';
}

/** Returns the constant that a node `A_Const` is; null for NULL. */
export function literalOf(constant: Tree): Omit<Literal, 'isPattern'> | null {
  const { sval, ival, fval, boolval, isnull } = constant;
  if (isnull === true) return null;
  if (isTree(sval)) return { text: stringOf(sval['sval']) ?? '', isNumber: false };
  if (isTree(fval)) return { text: stringOf(fval['fval']) ?? '0', isNumber: true };
  if (isTree(boolval)) return { text: boolval['boolval'] === true ? 'true' : 'false', isNumber: false };
  if (isTree(ival)) {
    const { ival: number = 0 } = ival;
    return typeof number === 'number' ? { text: String(number), isNumber: true } : null;
  }
  return null;
}

/** Returns the columns in a tree, and the paths that operators follow into documents. */
export function referencesIn(tree: unknown): {
  readonly columns: readonly string[];
  readonly chains: readonly { readonly column: string; readonly path: readonly string[] }[];
} {
  const columns: string[] = [];
  const chains: { column: string; path: readonly string[] }[] = [];
  const visit = (node: unknown): void => {
    if (!isTree(node)) return;
    if (Array.isArray(node)) return node.forEach(visit);
    const column = columnOf(node);
    if (column !== null) columns.push(column);
    const chain = chainOf(node);
    if (chain && chain.path.length > 0) chains.push(chain);
    Object.values(node).forEach(visit);
  };
  visit(tree);
  return { columns, chains };
}

/** Returns the name of a column that a node refers to; null for any other node. */
export function columnOf(node: unknown): string | null {
  if (!isNode(node, 'ColumnRef')) return null;
  const { fields } = node.ColumnRef;
  const last: unknown = Array.isArray(fields) ? fields.at(-1) : null;
  return isNode(last, 'String') ? stringOf(last.String['sval']) : null;
}

/** Returns the keys that `->` and `->>` follow from a column; null for any other node. */
export function chainOf(node: unknown): { readonly column: string; readonly path: readonly string[] } | null {
  const column = columnOf(node);
  if (column !== null) return { column, path: [] };
  if (isNode(node, 'TypeCast')) return chainOf(node.TypeCast['arg']);
  if (!isNode(node, 'A_Expr')) return null;
  const { lexpr, rexpr } = node.A_Expr;
  const operator = operatorOf(node.A_Expr);
  if (!['->', '->>', '#>', '#>>', '?'].includes(operator)) return null;
  const chain = chainOf(lexpr);
  const constant = isNode(rexpr, 'TypeCast') ? rexpr.TypeCast['arg'] : rexpr;
  const key = isNode(constant, 'A_Const') ? literalOf(constant.A_Const) : null;
  if (!chain || !key) return null;
  const keys = operator.startsWith('#') ? key.text.replaceAll(/^\{|\}$/g, '').split(',') : [key.text];
  return { column: chain.column, path: [...chain.path, ...keys] };
}
