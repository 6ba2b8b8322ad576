/** Returns a time in milliseconds as text, with the unit that is read best: `0.4 ms`, `12 ms`, `1.5 s`, `3 min 20 s`. */
export function milliseconds(time: number): string {
  if (time < 10) return `${Math.round(time * 10) / 10} ms`;
  if (time < 1_000) return `${Math.round(time)} ms`;
  const seconds = time / 1_000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Returns a statement on one line, cut to a length. */
export function oneLine(sql: string, length: number): string {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Returns a number of rows as text: `5,000,000 rows`. */
export function rowsText(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;
}

/** Returns a size as text, in the units of PostgreSQL: `8 kB`, `550 MB`. */
export function bytesText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let [size, unit] = [bytes / 1_024, 0];
  while (size >= 1_024 && unit < units.length - 1) [size, unit] = [size / 1_024, unit + 1];
  return `${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} ${units[unit]}`;
}
