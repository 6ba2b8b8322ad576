import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor, type Comment } from 'oxc-parser';
import { expect, test } from 'vitest';
import { pages, readPage } from './code-blocks.ts';

const root = join(import.meta.dirname, '../..');

// Words that stand for a term of the field, or hide who does what. Only those that are hardly ever right.
const avoided = [
  'whoever',
  'whomever',
  'whatever',
  'somebody',
  'nobody',
  'anybody',
  'told',
  'tells?',
  'said',
  'hears?',
  'heard',
  'bears?',
  'stretch(?:es)?',
  'half-?way',
  '(?:put|puts|putting) right',
  '(?:take|takes|taken|took) (?:\\w+ )?back',
  '(?:give|gives|given|giving|gave) (?:\\w+ )?up',
  'of (?:its|their|our|your|his|her) own',
  'by itself',
  'by themselves',
  'there is none',
  'for ever',
  'at hand',
];
const pattern = new RegExp(`\\b(?:${avoided.join('|')})\\b`, 'gi');

/** The avoided words of a text, each with its place. */
function findingsIn(place: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(pattern)].map(
        ([word]) => `${place}:${index + 1}: "${word}" in: ${line.trim().slice(0, 120)}`,
      ),
    );
}

test('a text with an avoided word is found', () => {
  expect(findingsIn('page', 'fine\nWhoever asks is told.')).toEqual([
    'page:2: "Whoever" in: Whoever asks is told.',
    'page:2: "told" in: Whoever asks is told.',
  ]);
});

test('the documentation has none of the words to avoid', () => {
  // Without code, which may hold anything.
  const prose = pages.map((page) => ({
    page,
    text: readPage(page).replaceAll(/```.*?```/gs, withoutText),
  }));

  expect(prose.flatMap(({ page, text }) => findingsIn(page, text))).toEqual([]);
});

/** The line breaks of a text, so that the lines after it keep their numbers. */
function withoutText(text: string): string {
  return text.replaceAll(/[^\n]/g, '');
}

test('messages, docstrings and comments have none of the words to avoid', () => {
  const modules = ['src', 'packages/migrator/src']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(folder, name),
      ),
    )
    // Migrations are frozen.
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/migrations/'));

  // In quotes it is the user of that name.
  const sources = modules.map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8').replaceAll(/(['"`])nobody\1|nobody@/g, ''),
  }));

  expect(sources.flatMap(({ path, text }) => findingsIn(path, text))).toEqual([]);
});

// What the docstring of a function or method begins with. A new verb belongs here if it is a term of the field.
const firstWords = new Set(
  (
    'Builds Checks Declares Decodes Deletes Encodes Finishes Increments Inserts Locks Reads Reloads Removes Replaces Restores ' +
    'Returns Soft-deletes Stages Starts Updates Yields'
  ).split(' '),
);

/** The functions and methods of a source whose docstring does not begin with a verb, and the exported ones without a docstring. */
function withoutVerb(path: string, source: string): string[] {
  const { program, comments } = parseSync(path, source);
  const found: string[] = [];
  const check = (name: string, start: number, required: boolean): void => {
    const text = docstringAbove(comments, source, start);
    if (text === undefined ? required : !firstWords.has(/^[\w-]*/.exec(text)?.[0] ?? ''))
      found.push(`${path} ${name}: ${text ?? 'has no docstring'}`);
  };
  const exported = new Set<number>();
  new Visitor({
    ExportNamedDeclaration({ declaration, start }) {
      if (declaration?.type !== 'FunctionDeclaration') return;
      exported.add(declaration.start);
      check(declaration.id?.name ?? '', start, true);
    },
    FunctionDeclaration({ id, start }) {
      if (!exported.has(start)) check(id?.name ?? '', start, false);
    },
    MethodDefinition({ key, kind, accessibility, start }) {
      if (kind === 'method')
        check(source.slice(key.start, key.end), start, isPublic(key.type, accessibility));
    },
    TSMethodSignature({ key, start }) {
      check(source.slice(key.start, key.end), start, false);
    },
  }).visit(program);
  return found;
}

function isPublic(key: string, accessibility: string | null | undefined): boolean {
  return key !== 'PrivateIdentifier' && accessibility !== 'private';
}

function docstringAbove(comments: readonly Comment[], source: string, start: number): string | undefined {
  const above = comments.findLast(({ end }) => end <= start && source.slice(end, start).trim() === '');
  if (above?.type !== 'Block' || !above.value.startsWith('*')) return undefined;
  return above.value.replaceAll(/^\s*\*+ ?/gm, '').trim();
}

test('a docstring without a verb is found, and a function without a docstring', () => {
  const source = [
    '/** The sum. */ export function sum() {}',
    'export function silent() {}',
    '/** Returns it. */ export function fine() {}',
    'class Row { /** The key. */ #key() {} #quiet() {} }',
  ];

  expect(withoutVerb('a.ts', source.join('\n'))).toEqual([
    'a.ts sum: The sum.',
    'a.ts silent: has no docstring',
    'a.ts #key: The key.',
  ]);
});

test('the docstring of every function and method of repositories and entities begins with a verb', () => {
  const findings = ['src/repositories', 'src/entities'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => withoutVerb(join(folder, name), readFileSync(join(root, folder, name), 'utf8'))),
  );

  expect(findings).toEqual([]);
});
