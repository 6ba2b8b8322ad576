/** The CHECKs of a table, each named `chk_<table>_<rule>`; services match on the names. */
export function checks(table: string, rules: Record<string, string>): { name: string; expression: string }[] {
  return Object.entries(rules).map(([rule, expression]) => ({ name: `chk_${table}_${rule}`, expression }));
}

/** Rules, by name, that the columns are keys: never empty. */
export function keys(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_not_empty`, `${column} <> ''`]);
}

/** Rules, by name, that the columns hold more than white space. */
export function notBlank(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_not_blank`, `${column} ~ '\\S'`]);
}

/** Rules, by name, that the columns hold at most so many characters. */
export function lengths(limits: Record<string, number>): Record<string, string> {
  return ruleFor(Object.keys(limits), (column) => [
    `${column}_length`,
    `char_length(${column}) <= ${limits[column]}`,
  ]);
}

/**
 * A literal to compare a `double precision` with. PostgreSQL stores a plain `0` with a cast, which the ORM would always report as a
 * change.
 */
const float = (value: number): string => `'${value}'::double precision`;

/** Rules, by name, that the `double precision` columns lie between `0` and `most`. */
export function ranges(most: number, ...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [
    `${column}_range`,
    `${column} >= ${float(0)} and ${column} <= ${float(most)}`,
  ]);
}

/** Rules, by name, that the `double precision` columns are rates: 0 to 1. */
export function rates(...columns: string[]): Record<string, string> {
  return ranges(1, ...columns);
}

/** Rules, by name, that the `double precision` columns measure a time: never negative. */
export function durations(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_range`, `${column} >= ${float(0)}`]);
}

/** Rules, by name, that the columns count something: never negative. */
export function counts(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_range`, `${column} >= 0`]);
}

/** Rules, by name, that the JSON columns hold an object, never the literal `null`. */
export function jsonObjects(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_object`, `jsonb_typeof(${column}) = 'object'`]);
}

/** Rules, by name, that the JSON columns hold an array, never the literal `null`. */
export function jsonArrays(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_array`, `jsonb_typeof(${column}) = 'array'`]);
}

function ruleFor(
  columns: string[],
  rule: (column: string) => [name: string, expression: string],
): Record<string, string> {
  return Object.fromEntries(columns.map(rule));
}
