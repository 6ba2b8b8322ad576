/** Returns the parts of a name for SQL, always quoted; those that are absent are left out. */
export function quoteNames(names: readonly (string | undefined)[]): string {
  return names
    .flatMap((name) => (name === undefined || name === '' ? [] : [`"${name.replaceAll('"', '""')}"`]))
    .join('.');
}

/** Returns a text as a constant for SQL. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  // Whether a plain constant escapes backslashes is a setting.
  return text.includes('\\') ? `E${quoted}` : quoted;
}
