// Writes docs/repositories.md from the docstrings of src/repositories: `node docs/generate-repositories.ts`.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseSync, type Class, type Comment, type ParamPattern } from 'oxc-parser';
import type { Effect } from '../src/repositories/signatures/index.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'src/repositories');

/** A public method, as its docstring describes it. */
interface Method {
  readonly name: string;
  readonly signature: string;
  /** The names of its parameters; null for a destructured one, whose fields are in the signature. */
  readonly parameters: readonly (string | null)[];
  readonly promise: string;
  readonly errors: string;
}

/** A repository, as its docstring describes it. */
interface RepositoryDoc {
  readonly name: string;
  readonly promise: string;
  readonly methods: readonly Method[];
}

/** Returns every repository by name, after the base class. */
export function repositoryDocs(): RepositoryDoc[] {
  return [folder, join(folder, 'legacy')]
    .flatMap((directory) => readdirSync(directory).map((file) => join(directory, file)))
    .filter((path) => path.endsWith('repository.ts'))
    .map((path) => readRepository(path))
    .toSorted((a, b) => (rank(a.name) < rank(b.name) ? -1 : 1));
}

interface Verb {
  /** The name of a method; with `…`, what a name begins with. */
  readonly verb: string;
  readonly effects: readonly Effect[];
  readonly meaning: string;
}

/** What each verb means. The first that fits the name of a method is its verb, and has its effect. */
export const verbs: readonly Verb[] = [
  {
    verb: 'find…',
    effects: ['reads'],
    meaning: 'a row to modify, or null. With another noun (`findSummary`): a value to show',
  },
  { verb: 'get…', effects: ['reads'], meaning: 'the same, or `NotFoundError`' },
  { verb: 'list…', effects: ['reads'], meaning: 'an array with every row, ordered; none is left out' },
  {
    verb: 'page…',
    effects: ['reads'],
    meaning:
      'an offset page with the total: `limit`, `offset`, `sortBy`, `sortOrder`, `total` (`exact`, `estimate` or `none`)',
  },
  {
    verb: 'scroll…',
    effects: ['reads'],
    meaning: 'a cursor page: `first`, `after`, `sortBy`, `sortOrder`; `endCursor`, `hasNextPage`',
  },
  {
    verb: 'stream…',
    effects: ['streams'],
    meaning: 'every row for `for await`, in constant memory: `sortBy`, `sortOrder`',
  },
  { verb: 'count…', effects: ['reads'], meaning: 'a number, or numbers by key' },
  { verb: 'exists…', effects: ['reads'], meaning: 'a boolean, or the keys for which it is true' },
  { verb: 'lock…', effects: ['locks'], meaning: 'a row to modify, locked to the end of the transaction' },
  { verb: 'add…', effects: ['stages'], meaning: 'creates a row' },
  { verb: 'remove…', effects: ['stages'], meaning: 'removes a row' },
  { verb: 'update…', effects: ['stages'], meaning: 'changes the given fields of a row, or `NotFoundError`' },
  {
    verb: 'ensure…',
    effects: ['locks', 'writes'],
    meaning: 'returns a row, created if it is missing; safe under concurrency',
  },
  { verb: 'insert…', effects: ['writes'], meaning: 'inserts rows' },
  {
    verb: 'save…',
    effects: ['writes'],
    meaning:
      'stores a row, whether or not it exists; or the named part of an existing row, or of several (`Batch`)',
  },
  { verb: 'delete…', effects: ['writes'], meaning: 'deletes rows, and returns how many or whether' },
  { verb: 'record…', effects: ['writes'], meaning: 'increments counters' },
  { verb: 'start…', effects: ['writes'], meaning: 'begins a process, unless it is running' },
  { verb: 'finish…', effects: ['writes'], meaning: 'ends a process, unless it has ended' },
  { verb: 'softDelete…', effects: ['writes'], meaning: 'hides a row; `restore` shows it again' },
  { verb: 'restore…', effects: ['writes'], meaning: 'shows a hidden row again' },
];

/** Returns the verb of a method. */
export function verbOf(method: string): Verb | undefined {
  return verbs.find(({ verb }) =>
    verb.endsWith('…') ? new RegExp(`^${verb.slice(0, -1)}(?![a-z])`).test(method) : verb === method,
  );
}

/** Returns the page. */
export function page(docs: readonly RepositoryDoc[]): string {
  const lines = [
    '# Find a method',
    '',
    '```ts',
    "const page = await database.read((uow) => uow.experiments.pageSummaries({ limit: 20, sortBy: 'name', sortOrder: 'asc' }));",
    '// { data, pagination: { total, limit, offset, hasNext } }',
    'const first = await database.read((uow) => uow.experiments.scrollSummaries({ first: 20 }));',
    '// { data, pagination: { endCursor, hasNextPage } }; continues with { first: 20, after: first.pagination.endCursor }',
    '```',
    '',
    'A repository is a set of named queries over one unit of work: `uow.experiments`, `uow.synths`, … Its methods are listed below. The',
    'verb of a method says what it does:',
    '',
    '| verb | effect | meaning |',
    '|---|---|---|',
    ...verbs.map(({ verb, effects, meaning }) => `| \`${verb}\` | ${effects.join(' or ')} | ${meaning} |`),
    '',
    '- **reads** and **streams** may be called anywhere. **locks**, **stages** and **writes** need a transaction: else they throw `ReadOnlyError`.',
    '- **stages** is written by the next flush, at the latest by the commit. **writes** sends a statement now.',
    '',
    '## Arguments',
    '',
    'Every method checks its arguments, because JSON has no types: `{ "$ne": null }` in place of a key would be a condition to the ORM.',
    '',
    '- `InvalidValueError` names the method and, as `argument`, the path (`changes.name`, `keys[2]`). Nested fields and items are checked too.',
    '- `InvalidPageError` refuses a limit, offset, order or cursor; `InvalidJsonError` refuses a document of the wrong shape.',
    '- Nothing is sent then. A method that returns a promise rejects; the others throw.',
    '- An object may have fields that the method does not know, but not only those.',
    '',
    '[from-the-python-layer.md](from-the-python-layer.md) names the new method for each old one. This page is generated from the docstrings by',
    '`make docs`.',
  ];
  for (const { name, promise, methods } of docs) {
    lines.push('', `## ${name}`, '', promise, '');
    if (methods.length > 0) {
      lines.push('| method | result | errors |', '|---|---|---|');
      for (const method of methods) {
        const cells = [`\`${method.signature}\``, method.promise, method.errors];
        lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

// The base class comes first.
function rank(name: string): string {
  return name === 'Repository' ? '' : name;
}

function readRepository(path: string): RepositoryDoc {
  const source = readFileSync(path, 'utf8');
  const { program, comments } = parseSync(path, source);
  for (const node of program.body) {
    const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : null;
    if (declared?.type !== 'ClassDeclaration') continue;
    const text = docstring(comments, source, node.start);
    return {
      name: declared.id?.name ?? basename(path),
      promise: text.replaceAll(/@deprecated/g, 'Deprecated.').trim(),
      methods: methodsOf(declared, comments, source),
    };
  }
  throw new Error(`${path} exports no class`);
}

function methodsOf(declared: Class, comments: Comment[], source: string): Method[] {
  return declared.body.body.flatMap((member): Method[] => {
    if (member.type !== 'MethodDefinition' || member.kind !== 'method' || member.key.type !== 'Identifier')
      return [];
    if (member.accessibility === 'protected' || member.accessibility === 'private') return [];
    const text = docstring(comments, source, member.start);
    const [promise = '', thrown = ''] = text.replace(/@deprecated\b[^@]*/, '').split('@throws');
    const parameters = member.value.params.map((parameter) => {
      const inner = parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
      return inner.type === 'Identifier'
        ? { name: inner.name, text: inner.name }
        : { name: null, text: fieldsOf(inner, source) };
    });
    return [
      {
        name: member.key.name,
        signature: `${member.key.name}(${parameters.map((parameter) => parameter.text).join(', ')})`,
        parameters: parameters.map(({ name }) => name),
        promise: promise.trim(),
        errors: thrown.trim(),
      },
    ];
  });
}

/** The fields of a destructured parameter, without their defaults. */
function fieldsOf(pattern: ParamPattern, source: string): string {
  if (pattern.type !== 'ObjectPattern') throw new Error(`unexpected parameter: ${pattern.type}`);
  return `{ ${pattern.properties.map((field) => source.slice(field.start, 'key' in field ? field.key.end : field.end)).join(', ')} }`;
}

function docstring(comments: Comment[], source: string, start: number): string {
  const above = comments.findLast(({ end }) => end <= start && source.slice(end, start).trim() === '');
  if (above?.type !== 'Block') return '';
  return above.value
    .replaceAll(/^\s*\*+ ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(root, 'docs/repositories.md'), page(repositoryDocs()));
}
