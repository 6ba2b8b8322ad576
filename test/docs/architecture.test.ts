import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPage } from './code-blocks.ts';

const root = join(import.meta.dirname, '../..');
const page = readPage('docs/architecture.md');
const named = new Set([...page.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name));

const ofPostgres = new Set(['DateStyle', 'ReadyForQuery', 'TimeZone']);

/** Whether one of our sources has the word. */
function isInSources(word: string): boolean {
  return sources.some((text) => new RegExp(`\\b${word}\\b`).test(text));
}

const sources = ['src', 'packages', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules') && !name.includes('dist/'))
    .map((name) => join(root, folder, name))
    .filter((path) => path !== import.meta.filename && statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8')),
);

test('every file and folder that the architecture names exists', () => {
  const paths = [...named].filter((name) => /^(src|test|packages)\/[\w./-]+$/.test(name));

  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('every class and function that the architecture names is in the sources', () => {
  const names = [...named].filter((name) => /^[A-Za-z]*[a-z][A-Z]\w*$/.test(name));

  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !ofPostgres.has(name) && !isInSources(name))).toEqual([]);
});

test('every dependency has a line in the table', () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- npm reads the same file
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'peerDependencies',
    Record<string, string>
  >;
  const [, section = ''] = page.split('## Dependencies');
  const dependencies = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
  const missing = dependencies.filter(
    (name) => !section.includes(`\`${name}\``) && !section.includes(`\`${name.replace('@mikro-orm/', '')}\``),
  );

  expect(missing).toEqual([]);
});
