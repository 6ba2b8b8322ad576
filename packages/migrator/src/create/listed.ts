/** Returns names as an enumeration in a sentence. */
export function listed(names: readonly string[]): string {
  // Made when it is asked for: it takes longer to make than the rest of the file to load.
  return new Intl.ListFormat('en').format(names);
}
