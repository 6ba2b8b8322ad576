// Writes the tables of settings, of schemes and of parameters into docs/connections.md: `node docs/generate-connections.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitions } from '../src/settings/setting-definitions.ts';
import { driverSuffixes } from '../src/settings/split-url.ts';
import { parameterDescriptions } from '../src/settings/url-parameters.ts';

const path = join(import.meta.dirname, 'connections.md');
const sections = { settings, schemes, parameters };

/** The page as it is, with its generated sections as they should be. */
export function page(written = readFileSync(path, 'utf8')): string {
  return Object.entries(sections).reduce((text, [name, generate]) => {
    const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
    const [before, after] = [text.indexOf(begin), text.indexOf(end)];
    if (before < 0 || after < before) throw new Error(`${path} lacks ${begin} or ${end}`);
    return `${text.slice(0, before)}${begin}\n\n${generate()}\n\n${text.slice(after)}`;
  }, written);
}

function schemes(): string {
  const suffixes = driverSuffixes.map((name) => `\`+${name}\``).join(', ');
  return `The schemes are \`postgres\` and \`postgresql\`, in any case, also followed by a driver that other stacks name there: ${suffixes}.`;
}

function parameters(): string {
  return table(
    ['parameter', 'meaning'],
    parameterDescriptions.map(([name, description]) => [`\`${name}\``, description]),
  );
}

function settings(): string {
  const rows = Object.entries(definitions).map(
    ([name, { type, variables, description, example, defaultText, unit, environmentOnly }]) => {
      const value = type(undefined);
      const shown = defaultText ?? `\`${typeof value === 'object' ? '' : String(value)}\``;
      return [
        `\`${variables[0]}\``,
        environmentOnly ? '' : `\`${name}\``,
        unit === undefined ? description : `${description} In ${unit}.`,
        shown,
        `\`${example}\``,
      ];
    },
  );
  return table(['variable', 'option', 'meaning', 'default', 'example'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (process.argv[1] === import.meta.filename) writeFileSync(path, page());
