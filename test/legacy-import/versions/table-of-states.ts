import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportResult } from '../../../src/legacy-import/import-legacy.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/import.md'), 'utf8');

/** Returns the cells of the rows of a table of the guide, by its heading. */
export function tableOfGuide(heading: string): string[][] {
  const [, part = ''] = guide.split(`\n## ${heading}\n`);
  const [rows = ''] = part.split('\n## ');
  return [...rows.matchAll(/^\| (.*) \|$/gm)].slice(1).map(([, row = '']) => row.split(' | '));
}

/** Returns the names as the guide lists them. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? '–' : names.map((name) => `\`${name}\``).join(', ');
}

/** Returns what an import leaves behind, without columns of a table that it leaves as a whole. */
export function leftBehind({ unknown }: ImportResult): string[] {
  return unknown.filter(({ rows }) => rows > 0).map(({ name }) => name);
}
