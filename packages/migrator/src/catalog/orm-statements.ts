// Quoted text and function bodies may contain semicolons.
const statement = /(?:\$\$[\s\S]*?\$\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^;])+/g;

/** Splits a text of the ORM's schema generator into statements, without semicolons. */
export function ormStatements(sql: string): string[] {
  return [...sql.matchAll(statement)].map(([text]) => text.trim()).filter((text) => text !== '');
}
