/** Returns a name that fits a table of 80 columns: without `Migration`, which all have. */
export function shortName(name: string): string {
  const short = name.replace(/^Migration(?=\d)/, '');
  return short.length > 40 ? `${short.slice(0, 39)}…` : short;
}
