import type { Node } from 'libpg-query';

/** Returns the function that a plain `select f('a', …)` calls, and its first argument if it is a text; null for any other statement. */
export function calledFunction(
  node: Node,
): { readonly name: string; readonly argument: string | null } | null {
  if (!('SelectStmt' in node)) return null;
  const { targetList = [], fromClause } = node.SelectStmt;
  const [target, another] = targetList;
  if (!target || another || fromClause || !('ResTarget' in target)) return null;
  const { val } = target.ResTarget;
  if (!val || !('FuncCall' in val)) return null;
  const { funcname = [], args: [first] = [] } = val.FuncCall;
  const last = funcname.at(-1);
  const name = last && 'String' in last ? (last.String.sval ?? '') : '';
  const argument = first && 'A_Const' in first ? (first.A_Const.sval?.sval ?? null) : null;
  return { name, argument };
}
