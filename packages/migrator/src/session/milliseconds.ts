/** Whether PostgreSQL and timers can take it for a time in milliseconds. */
export function isMilliseconds(milliseconds: unknown): boolean {
  return Number.isInteger(milliseconds) && Number(milliseconds) >= 0 && Number(milliseconds) < 2 ** 31;
}
