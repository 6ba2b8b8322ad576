import { blockBody } from './plpgsql/block-body.ts';
import { parsePlpgsqlBody } from './plpgsql/parse-body.ts';
import { parseSql } from './parse-sql.ts';
import { queriesIn } from './plpgsql/queries.ts';

/** Returns the extensions that a text creates, also within a block; without those that it executes as a text. */
export async function createdExtensions(sql: string): Promise<string[]> {
  if (!/\bextension\b/i.test(sql)) return [];
  const found: string[] = [];
  for (const { node } of (await parseSql(sql)) ?? []) {
    if ('CreateExtensionStmt' in node) found.push(node.CreateExtensionStmt.extname ?? '');
    const body = blockBody(node);
    if (body === null) continue;
    for (const query of queriesIn(await parsePlpgsqlBody(body)))
      found.push(...(await createdExtensions(query)));
  }
  return found;
}
