// Writes docs/repositories.md from the docstrings of src/repositories: `node docs/generate-repositories.ts`.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseSync, type Class, type Comment } from 'oxc-parser';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'src/repositories');

/** A public method as its docstring tells it. */
interface Method {
  readonly name: string;
  readonly signature: string;
  /** The names of its parameters; null for one that is taken apart where it is declared. */
  readonly parameters: readonly (string | null)[];
  readonly promise: string;
  readonly errors: string;
}

/** A repository class as its docstring tells it. */
interface RepositoryDoc {
  readonly name: string;
  readonly promise: string;
  readonly methods: readonly Method[];
}

/** Every repository, by name. Also what the page says of methods that all of them have. */
export function repositoryDocs(): RepositoryDoc[] {
  return [folder, join(folder, 'legacy')]
    .flatMap((directory) => readdirSync(directory).map((file) => join(directory, file)))
    .filter((path) => path.endsWith('repository.ts'))
    .map((path) => readRepository(path))
    .toSorted((a, b) => (rank(a.name) < rank(b.name) ? -1 : 1));
}

/** The page. */
export function page(docs: readonly RepositoryDoc[]): string {
  const lines = [
    '# Repositories',
    '',
    'Generated from the docstrings by `node docs/generate-repositories.ts`; a test keeps it current.',
    '',
    'A repository is a named set of questions put to one unit of work: `uow.experiments`, `uow.synths`, … `find…` gives a row or',
    'null, `get…` a row or `NotFoundError`, `list…` and `page…` ordered rows, `lock…` a row held to the end of the transaction.',
    '`add` and `remove` stage; the unit of work writes. [from-the-python-layer.md](from-the-python-layer.md) names the new method for each',
    'old one.',
    '',
    'Types end where JSON begins: a key out of a request may be `{ "$ne": null }`, which the ORM takes for a condition. So every method',
    'checks its arguments when it is called, the fields of objects and the items of arrays included. `InvalidValueError` names the',
    'method and, as `argument`, the place (`changes.name`, `keys[2]`); a limit, offset, order or cursor is refused with',
    '`InvalidPageError`, a document out of shape with `InvalidJsonError`. Nothing is sent then. Methods that return a promise reject; the',
    'others throw. An object may have fields that a method does not know, but not those alone.',
  ];
  for (const { name, promise, methods } of docs) {
    lines.push('', `## ${name}`, '', promise, '');
    if (methods.length > 0) {
      lines.push('| method | promises | errors |', '|---|---|---|');
      for (const method of methods) {
        const cells = [`\`${method.signature}\``, method.promise, method.errors];
        lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

// What all of them have comes first.
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
      return inner.type === 'Identifier' ? inner.name : null;
    });
    return [
      {
        name: member.key.name,
        signature: `${member.key.name}(${parameters.map((name) => name ?? 'request').join(', ')})`,
        parameters,
        promise: promise.trim(),
        errors: thrown.trim(),
      },
    ];
  });
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
