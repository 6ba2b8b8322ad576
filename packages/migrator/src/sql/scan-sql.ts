export interface ScannedToken {
  /** The text between it and the previous token. */
  readonly gap: string;
  readonly text: string;
}

/** Returns the tokens of a text, comments included, as PostgreSQL's own scanner splits them; null when a token is invalid. */
export async function scanSql(sql: string): Promise<ScannedToken[] | null> {
  const { scan } = await import('libpg-query');
  // The package fails to parse the scanner's report of an invalid token.
  const scanned = await scan(sql).catch(() => null);
  if (!scanned) return null;
  const bytes = Buffer.from(sql);
  let last = 0;
  return scanned.tokens.map(({ start, end }) => {
    const gap = bytes.toString('utf8', last, start);
    last = end;
    return { gap, text: bytes.toString('utf8', start, end) };
  });
}
