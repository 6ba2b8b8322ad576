import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, readPage } from './code-blocks.ts';

const root = join(import.meta.dirname, '../..');

/** The anchors of a page, as GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

test('every link of the documentation leads to a file, and to a heading that it has', () => {
  const links = pages.flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([, file = '', anchor]) => ({
      page,
      file: file === '' ? page : join(dirname(page), file),
      anchor,
    })),
  );
  const dead = links.filter(
    ({ file, anchor }) =>
      !existsSync(join(root, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor)),
  );

  expect(links.length).toBeGreaterThan(30);
  expect(dead).toEqual([]);
});

test('every page of the documentation is linked from the README', () => {
  const readme = readPage('README.md');

  expect(pages.filter((page) => !page.endsWith('README.md') && !readme.includes(`(${page})`))).toEqual([]);
});
