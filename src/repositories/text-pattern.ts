/** A `like` pattern for the texts that hold `text` anywhere; each of its characters stands for itself. */
export function holding(text: string): string {
  return `%${literal(text)}%`;
}

/** A `like` pattern for the texts that start with `text`; each of its characters stands for itself. */
export function startingWith(text: string): string {
  return `${literal(text)}%`;
}

function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
