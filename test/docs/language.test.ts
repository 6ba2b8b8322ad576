import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
