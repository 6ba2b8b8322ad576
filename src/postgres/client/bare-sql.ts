// A quote that is doubled inside a text ends one and opens the next, which comes to the same. What is not closed goes on to the end, as
// in the beginning of a longer text.
const quoted =
  /--[^\n\r]*|\/\*[^]*?(?:\*\/|$)|(?<![\w$])[eE]'[^'\\]*(?:\\[^][^'\\]*)*(?:'|\\?$)|'[^']*(?:'|$)|"[^"]*(?:"|$)|(?<![\w$])(\$\w*\$)[^]*?(?:\1|$)/g;

/** The statements of a text, each without comments, and with nothing in its quotes: what it does, and no value. */
export function bareStatements(text: string): string[] {
  return text
    .replace(quoted, (found) => (/^(?:--|\/\*)/.test(found) ? ' ' : "''"))
    .split(';')
    .map((statement) => statement.trim());
}
