/**
 * Expressions, for JavaScript and PostgreSQL alike, that find in SQL, blocks and bodies of functions what the server can't list: names of
 * custom settings, and of channels. A name too many does no harm: only those whose value changed are restored, and a channel that
 * is not listened to can't be left.
 */
export const customSetting = String.raw`(?:set_config\s*\(\s*'|\bset\s+(?:session\s+)?)("?[a-z_][\w$]*"?\s*\.\s*"?[a-z_][\w$]*"?)`;
export const channel = String.raw`\blisten\s+("[^"]+"|[a-z_][\w$]*)`;
/** Finds what makes the random numbers of a session predictable. */
export const seed = String.raw`\bsetseed\b|\bset\s+(?:session\s+)?seed\b`;

/** Finds a call that sets a setting whose name is no plain string, and what runs SQL that code has composed. */
export const composedSetting = String.raw`set_config\s*\(\s*(?!'[a-z_][\w$]*(?:\.[a-z_][\w$]*)?'\s*,)`;
export const composedSql = String.raw`\bexecute\b(?!\s+(?:function|procedure)\b)`;
export const setting = String.raw`\bset\b`;

/** Returns whether a text may set a custom setting that `customSetting` does not find. */
export function mayComposeSettings(text: string): boolean {
  const finds = (expression: string): boolean => new RegExp(expression, 'i').test(text);
  return finds(composedSetting) || (finds(composedSql) && finds(setting));
}

/** Returns what the first group of an expression matches in texts, each once. */
export function namesIn(texts: readonly string[], expression: string): string[] {
  const pattern = new RegExp(expression, 'gi');
  return [...new Set(texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = '']) => name)))];
}
