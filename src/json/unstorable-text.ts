/**
 * Returns the name of a character in a text that PostgreSQL can't store; null without one. The driver would encode an unpaired surrogate
 * as U+FFFD, without an error.
 */
export function unstorableText(text: string): string | null {
  if (!text.isWellFormed()) return 'half of a surrogate pair';
  return text.includes('\0') ? 'U+0000' : null;
}
