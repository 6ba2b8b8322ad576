/** Returns the CHECK constraints of a table, each named `chk_<table>_<rule>`. Services match on the names. */
export function checks(table: string, rules: Record<string, string>): { name: string; expression: string }[] {
  return Object.entries(rules).map(([rule, expression]) => ({ name: `chk_${table}_${rule}`, expression }));
}

/** Returns the rules, by name, that the columns are keys: never empty. */
export function keys(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_not_empty`, `${column} <> ''`]);
}

/** Returns the rules, by name, that the columns hold more than white space. */
export function notBlank(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_not_blank`, `${column} ~ '\\S'`]);
}

/** Returns the rules, by name, that limit the number of characters of the columns. */
export function lengths(limits: Record<string, number>): Record<string, string> {
  return ruleFor(Object.keys(limits), (column) => [
    `${column}_length`,
    `char_length(${column}) <= ${limits[column]}`,
  ]);
}

/** Returns a literal of type `double precision`. PostgreSQL stores a plain `0` with a cast, which the ORM would report as a change. */
const float = (value: number): string => `'${value}'::double precision`;

/** Returns the rules, by name, that the `double precision` columns are between 0 and `max`. */
export function ranges(max: number, ...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [
    `${column}_range`,
    `${column} >= ${float(0)} and ${column} <= ${float(max)}`,
  ]);
}

/** Returns the rules, by name, that the `double precision` columns are rates: 0 to 1. */
export function rates(...columns: string[]): Record<string, string> {
  return ranges(1, ...columns);
}

/** Returns the rules, by name, that the `double precision` columns are durations: never negative. */
export function durations(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_range`, `${column} >= ${float(0)}`]);
}

/** Returns the rules, by name, that the columns are counts: never negative. */
export function counts(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_range`, `${column} >= 0`]);
}

/** Returns the rules, by name, that the JSON columns hold an object, never the literal `null`. */
export function jsonObjects(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_object`, `jsonb_typeof(${column}) = 'object'`]);
}

/** Returns the rules, by name, that the JSON columns hold an array, never the literal `null`. */
export function jsonArrays(...columns: string[]): Record<string, string> {
  return ruleFor(columns, (column) => [`${column}_array`, `jsonb_typeof(${column}) = 'array'`]);
}

function ruleFor(
  columns: string[],
  rule: (column: string) => [name: string, expression: string],
): Record<string, string> {
  return Object.fromEntries(columns.map(rule));
}
