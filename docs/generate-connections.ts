// Writes the table of settings into docs/connections.md: `node docs/generate-connections.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitions } from '../src/settings/definitions.ts';

const path = join(import.meta.dirname, 'connections.md');
const [begin, end] = ['<!-- settings: begin -->', '<!-- settings: end -->'];

/** The page as it is, with the table of settings as it should be. */
export function page(written = readFileSync(path, 'utf8')): string {
  const [before, after] = [written.indexOf(begin), written.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${path} lacks ${begin} or ${end}`);
  return `${written.slice(0, before)}${begin}\n\n${table()}\n\n${written.slice(after)}`;
}

function table(): string {
  const rows = Object.entries(definitions).map(
    ([name, { schema, variables, what, example, absent, unit, environmentOnly }]) => {
      const standard: unknown = schema.parse(undefined);
      const shown = absent ?? `\`${String(standard)}\``;
      return [
        `\`${variables[0]}\``,
        environmentOnly ? '' : `\`${name}\``,
        unit === undefined ? what : `${what} In ${unit}.`,
        shown,
        `\`${example}\``,
      ];
    },
  );
  return [
    ['variable', 'option', 'what', 'default', 'example'],
    Array.from({ length: 5 }, () => '---'),
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, page());
