/**
 * The statements of one query text, without what separates them: semicolons, blanks, comments ahead. Reads quotes, dollar quotes,
 * nested comments and parentheses as PostgreSQL does by default, but not the bodies of `begin atomic` functions.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let [start, depth] = [0, 0];
  const take = (end: number): void => {
    const statement = sql.slice(start, end).trim();
    if (statement) statements.push(statement);
  };
  for (let at = 0; ;) {
    openings.lastIndex = at;
    const found = openings.exec(sql);
    if (!found) break;
    const [opening] = found;
    at = endOf(sql, opening, openings.lastIndex);
    if (opening === '(') depth++;
    if (opening === ')') depth--;
    if (opening === ';' && depth === 0) take(found.index);
    const ahead = isComment(opening) && !sql.slice(start, found.index).trim();
    if (ahead || (opening === ';' && depth === 0)) start = at;
  }
  take(sql.length);
  return statements;
}

// A quote may follow a word (`date'2026-01-01'`): only a lone `e` makes its backslashes escapes, and only a lone `$` opens.
const openings =
  /--|\/\*|(?<![\w$\u0080-\uffff])(?:[eE]'|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|['"();]/g;

function isComment(opening: string): boolean {
  return opening === '--' || opening === '/*';
}

/** Where what `opening` opened before `from` ends; with the text when it is never closed, which is PostgreSQL's to refuse. */
function endOf(sql: string, opening: string, from: number): number {
  if (opening === '--') return after(sql, '\n', from);
  if (opening === '/*') return endOfComment(sql, from);
  if (opening === "'" || opening === '"') return endOfQuoted(sql, opening, from);
  if (opening.endsWith("'")) return endOfEscaped(sql, from);
  if (opening.startsWith('$')) return after(sql, opening, from);
  return from;
}

function after(sql: string, closing: string, from: number): number {
  const at = sql.indexOf(closing, from);
  return at === -1 ? sql.length : at + closing.length;
}

function endOfComment(sql: string, from: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  for (let depth = 1; depth > 0;) {
    const [mark] = marks.exec(sql) ?? [];
    if (mark === undefined) return sql.length;
    depth += mark === '/*' ? 1 : -1;
  }
  return marks.lastIndex;
}

function endOfQuoted(sql: string, quote: string, from: number): number {
  let end = after(sql, quote, from);
  while (sql[end] === quote) end = after(sql, quote, end + 1);
  return end;
}

function endOfEscaped(sql: string, from: number): number {
  const marks = /\\.|''|'/gs;
  marks.lastIndex = from;
  for (;;) {
    const [mark] = marks.exec(sql) ?? [];
    if (mark === undefined) return sql.length;
    if (mark === "'") return marks.lastIndex;
  }
}
