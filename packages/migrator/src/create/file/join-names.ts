/** Returns names as an enumeration in a sentence. */
export function joinNames(names: readonly string[]): string {
  // Created on demand, because its constructor is slow.
  return new Intl.ListFormat('en').format(names);
}
