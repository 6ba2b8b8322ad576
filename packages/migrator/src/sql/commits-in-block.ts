import { scanSql } from './scan-sql.ts';

const beginsStatement = new Set([';', 'begin', 'then', 'else', 'loop', '>>']);

/** Whether the body of a block or procedure in PL/pgSQL commits or rolls back. */
export async function commitsInBlock(body: string): Promise<boolean> {
  const tokens = ((await scanSql(body)) ?? [])
    .map(({ text }) => text.toLowerCase())
    .filter((text) => !/^(?:--|\/\*)/.test(text));
  return tokens.some((text, index) => {
    if (text !== 'commit' && text !== 'rollback') return false;
    const before = tokens[index - 1] ?? ';';
    return (beginsStatement.has(before) || before.endsWith('>')) && tokens[index + 1] !== 'to';
  });
}
