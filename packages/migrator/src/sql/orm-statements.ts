import { parseSql } from './parse-sql.ts';
import { scanSql } from './scan-sql.ts';

/** Returns the statements of a text that the ORM's schema generator made, without semicolons. */
export async function ormStatements(sql: string): Promise<string[]> {
  const statements = (await parseSql(sql))?.map(({ text }) => text);
  return statements ?? (await splitAtSemicolons(sql));
}

/** What the grammar can't read, such as an entity's expression for a newer server, is split at what the scanner finds. */
async function splitAtSemicolons(sql: string): Promise<string[]> {
  const parts = [''];
  for (const { gap, text } of (await scanSql(sql)) ?? [{ gap: '', text: sql }]) {
    if (text === ';') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${gap}${text}`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
