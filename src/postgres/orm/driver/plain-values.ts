/** Returns whether the driver sends a value as a parameter that PostgreSQL reads as it reads the ORM's literal of the value. */
export function isPlainParameter(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
