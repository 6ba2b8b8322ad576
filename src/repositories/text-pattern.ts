/** Returns the `like` pattern of texts that start with `text`. Wildcards in it are escaped. */
export function patternStartingWith(text: string): string {
  return `${escapeWildcards(text)}%`;
}

function escapeWildcards(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
