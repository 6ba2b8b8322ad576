import type { Node } from 'libpg-query';

/** Returns the body of a block (`do`); null of any other statement. */
export function blockBody(node: Node): string | null {
  if (!('DoStmt' in node)) return null;
  const { args = [] } = node.DoStmt;
  const body = args.find((arg) => 'DefElem' in arg && arg.DefElem.defname === 'as');
  const text = body && 'DefElem' in body ? body.DefElem.arg : undefined;
  return text && 'String' in text ? (text.String.sval ?? '') : '';
}
