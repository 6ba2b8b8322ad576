import { refusalReasons } from './refusal-reasons.ts';
import type { Mode, Shape } from './shape.ts';

/** Returns the page of the documentation that lists the statements which not every migration may hold. */
export function refusalPage(shapes: readonly Shape[]): string {
  const used = new Set(shapes.flatMap(({ refused = {} }) => Object.values(refused)));
  const rows = shapes.flatMap(({ sql, refused }) =>
    refused ? [row([code(sql), ...columns.map((mode) => refused[mode] ?? 'yes')])] : [],
  );
  const reasons = Object.entries(refusalReasons)
    .filter(([reason]) => [...used].some((one) => one === reason))
    .map(([reason, { code: kind, why, remedy }]) => row([reason, kind, why, remedy]));
  return `# Statements

A migration may hold every statement of PostgreSQL. These are the exceptions: statements that not every kind of migration accepts. All others
have the effect that \`psql\` gives them, in a transaction, statement by statement, and marked by \`standalone\`.

| reason | code of the error | why | what to do |
|---|---|---|---|
${reasons.join('\n')}

A refused migration sends nothing. A failed one leaves nothing of that statement, except the INVALID index of a concurrent build, which is
dropped when it is resumed or abandoned. In both cases, the error names the statement, and later runs work as before. What a statement leaves in
its session, such as a setting, [ends with the migration](guide.md#how-transactions-work).

| statement | in a transaction | statement by statement | \`standalone\` |
|---|---|---|---|
${rows.join('\n')}
`;
}

const columns: readonly Mode[] = ['transactional', 'statement by statement', 'standalone'];

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function code(sql: string): string {
  return `\`${sql.replaceAll('{db}', 'shop').replaceAll(/\s+/g, ' ')}\``;
}
