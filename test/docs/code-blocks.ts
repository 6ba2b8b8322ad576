import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Every page of the documentation, by its path from the root. */
export const pages: readonly string[] = [
  'README.md',
  'packages/migrator/README.md',
  'packages/migrator/docs/guide.md',
  'packages/migrator/docs/statements.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

export interface CodeBlock {
  /** `docs/loading.md:7`, the line before its first. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
}

/** Returns the text of a page. */
export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Every code block of every page, in order. */
export const codeBlocks: readonly CodeBlock[] = pages.flatMap((page) => {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language,
    code,
  }));
});
