/** Returns SQL for a separate migration that is not transactional. */
export function alone(sql: string): string {
  return `-- in a migration whose isTransactional() returns false, as one text\n${sql}`;
}

/** Returns SQL for migrations that each have a transaction, in their order. */
export function inTurn(...parts: readonly string[]): string {
  return parts.map((sql, index) => `-- migration ${index + 1}\n${sql}`).join('\n');
}
