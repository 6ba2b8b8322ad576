import type { Node } from '../../sql/grammar.ts';
import { namesInTree, type NamesInTree } from '../../sql/names-in-tree.ts';
import { parseSql } from '../../sql/parse-sql.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { UnknownError } from './precheck.ts';
import type { Relation } from './relation.ts';

/** A part of a query: SQL, and the names in it. */
export interface Part {
  readonly sql: string;
  readonly names: NamesInTree;
}

/**
 * Returns an expression of a statement.
 *
 * @throws UnknownError when its text is not found.
 */
export async function partOf(source: SourceText, node: Node): Promise<Part> {
  const sql = await source.expression(node);
  if (sql === null) throw new UnknownError('its expression is not found in its text');
  return { sql: `(${sql})`, names: namesInTree(node) };
}

/** Returns an expression that the server printed. */
export async function printedPart(sql: string): Promise<Part> {
  return { sql: `(${sql})`, names: namesInTree(await parseSql(`select (${sql}\n)`)) };
}

/** Returns a column by its name. Its name is quoted as the server does it, if it exists. */
export function columnPart({ columns }: Relation, name: string): Part {
  const sql = columns.find((column) => column.name === name)?.quoted ?? `"${name.replaceAll('"', '""')}"`;
  return { sql, names: namesInTree({ ColumnRef: { fields: [{ String: { sval: name } }] } }) };
}
