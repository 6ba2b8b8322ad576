// What stands in quotes, or is a function's body, may hold the sign that ends a statement.
const statement = /(?:\$\$[\s\S]*?\$\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|[^;])+/g;

/** The statements of a text that the ORM's schema generator made, without semicolons. */
export function ormStatements(sql: string): string[] {
  return [...sql.matchAll(statement)].map(([text]) => text.trim()).filter((text) => text !== '');
}
