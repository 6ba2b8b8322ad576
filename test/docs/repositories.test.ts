import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { page, repositoryDocs } from '../../docs/generate-repositories.ts';

describe('docs/repositories.md', () => {
  const docs = repositoryDocs();

  test('is what the docstrings say', () => {
    const written = readFileSync(join(import.meta.dirname, '../../docs/repositories.md'), 'utf8');

    expect(written, 'run `node docs/generate-repositories.ts`').toBe(page(docs));
  });

  test('every public method has a docstring', () => {
    const silent = docs.flatMap(({ name, methods }) =>
      methods.filter(({ promise }) => promise === '').map((method) => `${name}.${method.name}`),
    );

    expect(silent).toEqual([]);
  });
});
