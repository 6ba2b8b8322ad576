import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** One `import`, `export … from`, `import()`, `import type` or `require`. */
export interface Import {
  /** A path from the project's root for a file of ours; else the package, `@scope/name` or `node:name`. */
  readonly from: string;
  readonly ours: boolean;
  /** What is imported by name; empty for a namespace, a dynamic import and a side effect. */
  readonly names: readonly string[];
}

/** A TypeScript file of the project, read and parsed. */
export class Module {
  /** From the project's root. */
  readonly path: string;
  readonly lines: readonly string[];
  readonly imports: readonly Import[];
  /** The names that it declares and exports. */
  readonly exports: readonly string[];
  /** The names of the functions that it calls. */
  readonly calls: readonly string[];
  /** The lines, from 0, on which it says `any` or casts by way of `unknown`. */
  readonly untyped: readonly number[];

  constructor(path: string, text: string) {
    const nodes = nodesIn(parseAst(text, { lang: 'ts' }));
    this.path = path;
    this.lines = text.split('\n');
    this.imports = nodes.flatMap((node) => {
      const specifier = specifierOf(node);
      return specifier === undefined ? [] : [{ ...resolve(path, specifier), names: namesOf(node) }];
    });
    this.exports = nodes.flatMap(({ type, declaration }) =>
      type === 'ExportNamedDeclaration' && isNode(declaration) ? declaredBy(declaration) : [],
    );
    this.calls = nodes.flatMap(({ type, callee }) => (type === 'CallExpression' ? [nameOf(callee)] : []));
    this.untyped = nodes
      .filter((node) => node.type === 'TSAnyKeyword' || castsByWayOfUnknown(node))
      .map(({ start }) => text.slice(0, start).split('\n').length - 1);
  }
}

/** Every TypeScript file that is under version control or will be. */
export function readProject(): Module[] {
  const root = `${import.meta.dirname}/..`;
  const patterns = ['*.ts', '{src,packages/*/{src,test},test,bench,examples,.ci}/**/*.ts'];
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules'] }).map(
    (path) => new Module(path, readFileSync(`${root}/${path}`, 'utf8')),
  );
}

/** A node of a syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [property: string]: unknown;
}

/** Returns the nodes of a tree, parents first. */
function nodesIn(value: unknown, found: Node[] = []): Node[] {
  if (typeof value !== 'object' || value === null) return found;
  if (isNode(value)) found.push(value);
  for (const child of Object.values(value)) nodesIn(child, found);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function specifierOf(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literalText(node['source']);
    case 'TSExternalModuleReference':
      return literalText(node['expression']);
    case 'CallExpression': {
      const { callee, arguments: given } = node;
      if (nameOf(callee) !== 'require' || !Array.isArray(given)) return undefined;
      return literalText(given[0]);
    }
    default:
      return undefined;
  }
}

function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal') return String(node['value']);
  // A name that is put together at run time can't be followed; what can be is one in backquotes.
  return node.type === 'TemplateLiteral' ? textOfTemplate(node) : undefined;
}

function textOfTemplate({ quasis }: Node): string | undefined {
  if (!Array.isArray(quasis) || quasis.length !== 1 || !isNode(quasis[0])) return undefined;
  const { value } = quasis[0];
  return typeof value === 'object' && value !== null && 'cooked' in value ? String(value.cooked) : undefined;
}

function namesOf({ specifiers }: Node): string[] {
  if (!Array.isArray(specifiers)) return [];
  return specifiers.filter(isNode).flatMap((specifier) => {
    const { type, imported, local } = specifier;
    return type === 'ImportSpecifier' || type === 'ExportSpecifier' ? [nameOf(imported ?? local)] : [];
  });
}

function declaredBy({ id, declarations }: Node): string[] {
  if (!Array.isArray(declarations)) return [nameOf(id)];
  return declarations.filter(isNode).map((declaration) => nameOf(declaration['id']));
}

function nameOf(node: unknown): string {
  return isNode(node) ? String(node['name']) : '';
}

function castsByWayOfUnknown(node: Node): boolean {
  const inner = castee(node);
  if (inner === undefined || castee(inner) === undefined) return false;
  const { typeAnnotation } = inner;
  return isNode(typeAnnotation) && typeAnnotation.type === 'TSUnknownKeyword';
}

/** What a cast casts. */
function castee({ type, expression }: Node): Node | undefined {
  if (type !== 'TSAsExpression' && type !== 'TSTypeAssertion') return undefined;
  if (!isNode(expression)) return undefined;
  if (expression.type !== 'ParenthesizedExpression') return expression;
  return isNode(expression['expression']) ? expression['expression'] : undefined;
}

function resolve(importer: string, specifier: string): Pick<Import, 'from' | 'ours'> {
  if (specifier.startsWith('.')) return { from: posix.join(posix.dirname(importer), specifier), ours: true };
  const parts = specifier.startsWith('@') ? 2 : 1;
  const from = specifier.startsWith('node:') ? specifier : specifier.split('/').slice(0, parts).join('/');
  return { from, ours: false };
}
