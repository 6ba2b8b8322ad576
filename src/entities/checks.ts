/** The CHECKs of a table, each named `chk_<table>_<rule>`; services match on the names. */
export function checks(table: string, rules: Record<string, string>): { name: string; expression: string }[] {
  return Object.entries(rules).map(([rule, expression]) => ({ name: `chk_${table}_${rule}`, expression }));
}

/** Rules, by name, that the columns are keys: never empty. */
export function keys(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_not_empty`, `${column} <> ''`]);
}

/** Rules, by name, that the columns hold more than white space. */
export function notBlank(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_not_blank`, `${column} ~ '\\S'`]);
}

/** Rules, by name, that the columns hold at most so many characters. */
export function lengths(limits: Record<string, number>): Record<string, string> {
  return rules(Object.keys(limits), (column) => [
    `${column}_length`,
    `char_length(${column}) <= ${limits[column]}`,
  ]);
}

/** Rules, by name, that the columns are rates: 0 to 1. */
export function rates(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_range`, `${column} >= 0 and ${column} <= 1`]);
}

/** Rules, by name, that the columns count or measure something: never negative. */
export function counts(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_range`, `${column} >= 0`]);
}

/** Rules, by name, that the JSON columns hold an object, never the literal `null`. */
export function jsonObjects(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_object`, `jsonb_typeof(${column}) = 'object'`]);
}

/** Rules, by name, that the JSON columns hold an array, never the literal `null`. */
export function jsonArrays(...columns: string[]): Record<string, string> {
  return rules(columns, (column) => [`${column}_array`, `jsonb_typeof(${column}) = 'array'`]);
}

function rules(
  columns: string[],
  rule: (column: string) => [name: string, expression: string],
): Record<string, string> {
  return Object.fromEntries(columns.map(rule));
}
