/** Whether a value is a time in milliseconds that PostgreSQL and timers accept. */
export function isMilliseconds(milliseconds: unknown): boolean {
  return Number.isInteger(milliseconds) && Number(milliseconds) >= 0 && Number(milliseconds) < 2 ** 31;
}
