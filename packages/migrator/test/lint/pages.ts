import { exampleSchema } from '../../src/lint/rules/example-schema.ts';
import type { ExampleMigration, Rule } from '../../src/lint/rules/rule.ts';

/** Returns the page of a rule. */
export function pageOf({ name, does, locks, why, unsafe, safe }: Rule): string {
  return `${[
    `# ${name}`,
    does,
    `**Lock:** ${locks}`,
    why,
    '## Unsafe',
    exampleOf(unsafe),
    '## Safe',
    ...safe.flatMap((one, index) => [
      ...(safe.length > 1 ? [`Migration ${index + 1} of ${safe.length}:`] : []),
      exampleOf(one),
    ]),
    '## Silence',
    'Where it is fine nevertheless, the migration says why:',
    `\`\`\`ts\nstatic readonly lint = { '${name}': 'why it is fine here' };\n\`\`\``,
    'The tables of the examples are in [the list of all rules](README.md).',
  ].join('\n\n')}\n`;
}

/** Returns the list of all rules. */
export function listOf(rules: readonly Rule[]): string {
  return `${[
    '# Rules of `lint`',
    '`safe-migrations lint` applies migrations on a scratch database, and asks PostgreSQL around each statement what it locks and does. ' +
      'Both examples of each rule run in the tests, on a server with a reader and a writer.',
    [
      '| rule | reports a statement that |',
      '|---|---|',
      ...rules.map(
        ({ name, does }) =>
          `| [${name}](${name}.md) | ${does.replace(/^(.)/, (first) => first.toLowerCase())} |`,
      ),
      '| [silence](silence.md) | none: an entry of `static lint` that names no rule, or silences nothing |',
    ].join('\n'),
    '## The tables of the examples',
    sqlOf(exampleSchema),
  ].join('\n\n')}\n`;
}

function exampleOf({ up, down = [], transactional = true, lockTimeout, loses }: ExampleMigration): string {
  const members = [
    ...(transactional ? [] : ['isTransactional() { return false; }']),
    ...(lockTimeout === undefined ? [] : [`readonly lockTimeout = ${lockTimeout};`]),
    ...(loses === undefined ? [] : [`static readonly loses = ['${loses.join("', '")}'];`]),
  ];
  return [
    ...(members.length === 0 ? [] : [`\`\`\`ts\n${members.join('\n')}\n\`\`\``]),
    sqlOf(up),
    ...(down.length === 0 ? [] : ['Its `down`:', sqlOf(down)]),
  ].join('\n\n');
}

function sqlOf(statements: readonly string[]): string {
  return `\`\`\`sql\n${statements.map((sql) => `${sql};`).join('\n')}\n\`\`\``;
}
