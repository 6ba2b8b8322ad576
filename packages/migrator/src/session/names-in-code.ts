/**
 * Expressions, for JavaScript and PostgreSQL alike, that find in SQL, blocks and bodies of functions what the server can't list: names of
 * custom settings, and of channels. A name too many does no harm: only those whose value changed are restored, and a channel that
 * is not listened to can't be left.
 */
export const customSetting = String.raw`(?:set_config\s*\(\s*'|\bset\s+(?:session\s+)?)("?[a-z_][\w$]*"?\s*\.\s*"?[a-z_][\w$]*"?)`;
export const channel = String.raw`\blisten\s+("[^"]+"|[a-z_][\w$]*)`;
/** Finds what makes the random numbers of a session predictable. */
export const seed = String.raw`\bsetseed\b|\bset\s+(?:session\s+)?seed\b`;

/** Returns what the first group of an expression matches in texts, each once. */
export function namesIn(texts: readonly string[], expression: string): string[] {
  const pattern = new RegExp(expression, 'gi');
  return [...new Set(texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = '']) => name)))];
}
