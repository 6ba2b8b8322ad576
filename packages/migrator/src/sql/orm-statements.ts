import { parseSql } from './parse-sql.ts';
import { scanSql } from './scan-sql.ts';

/** Returns the statements of a text of the ORM's schema generator, without semicolons. */
export async function ormStatements(sql: string): Promise<string[]> {
  const statements = (await parseSql(sql))?.map(({ text }) => text);
  return statements ?? (await splitAtSemicolons(sql));
}

/** Splits a text that the grammar can't parse, such as an expression for a newer server, at the semicolons that the scanner finds. */
async function splitAtSemicolons(sql: string): Promise<string[]> {
  const parts = [''];
  for (const { gap, text } of (await scanSql(sql)) ?? [{ gap: '', text: sql }]) {
    if (text === ';') parts.push('');
    else parts.push(`${parts.pop() ?? ''}${gap}${text}`);
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
