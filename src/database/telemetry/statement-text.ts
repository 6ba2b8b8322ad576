// What of a longer one tells is at its beginning.
const longestRead = 20_000;
const longestTold = 2_000;

// In this order: what begins like something else comes first. What is cut off in the middle is none the less a value.
const token = new RegExp(
  [
    String.raw`(?<gap>\s+|--[^\n]*)`,
    String.raw`(?<comment>\/\*)`,
    String.raw`(?<value>[eE]'(?:\\[^]|''|[^'\\])*'?|(?:[bBxXnN]|[uU]&)?'(?:''|[^'])*'?|\$(?<tag>(?:[a-zA-Z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?(?:\$\k<tag>\$|$)|0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<kept>"(?:""|[^"])*"?|\$\d+|[a-zA-Z_\u0080-\uffff][\w$\u0080-\uffff]*|[^])`,
  ].join('|'),
  'y',
);

/**
 * A statement as it may be told: `?` for each value that is written into it, `?, …` for a list of them, no comments, on one line, at
 * most 2,000 characters of it.
 */
export function statementText(sql: string): string {
  const source = sql.slice(0, longestRead);
  let told = '';
  let at = 0;
  while (at < source.length) {
    token.lastIndex = at;
    const { gap, comment, value, kept } = token.exec(source)?.groups ?? {};
    if (comment !== undefined) {
      at = endOfComment(source, at);
      told += ' ';
      continue;
    }
    at = token.lastIndex;
    told += gap === undefined ? (value === undefined ? (kept ?? '') : '?') : ' ';
  }
  const text = told
    .replaceAll(/ {2,}/g, ' ')
    .replaceAll(/\?(?: ?, ?\?)+/g, '?, …')
    .trim();
  return text.length > longestTold || sql.length > longestRead ? `${text.slice(0, longestTold)}…` : text;
}

/** The command that a statement begins with, in capitals. */
export function operationName(sql: string): string {
  return (
    /^\s*(?:(?:--[^\n]*\n|\/\*[^]*?\*\/)\s*)*([a-z]+)/i.exec(sql.slice(0, 500))?.[1]?.toUpperCase() ?? 'QUERY'
  );
}

// They may hold others of their kind.
function endOfComment(source: string, from: number): number {
  let depth = 0;
  for (let at = from; at < source.length;) {
    const mark = source.slice(at, at + 2);
    if (mark === '/*' || mark === '*/') {
      depth += mark === '/*' ? 1 : -1;
      at += 2;
      if (depth === 0) return at;
    } else at += 1;
  }
  return source.length;
}
