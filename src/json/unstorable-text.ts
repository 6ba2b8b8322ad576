/**
 * Returns what a text holds that PostgreSQL can't store, or null. Half of a surrogate pair would arrive as U+FFFD: the driver encodes
 * it as such without an error.
 */
export function unstorableText(text: string): string | null {
  if (!text.isWellFormed()) return 'half of a surrogate pair';
  return text.includes('\0') ? 'U+0000' : null;
}
