import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { page, repositoryDocs, verbOf, verbs } from '../../docs/generate-repositories.ts';
import { repositories } from '../../src/repositories/index.ts';
import type { RepositoryClass } from '../../src/repositories/signatures/index.ts';

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

  test('every method has a verb of the table, and its effect', () => {
    const classes: [string, RepositoryClass][] = Object.entries(repositories).map(([name, [, one]]) => [
      name,
      one,
    ]);
    const methods = classes.flatMap(([repository, { signatures }]) =>
      Object.entries(signatures).map(([method, { effect }]) => ({
        name: `${repository}.${method}`,
        method,
        effect,
      })),
    );
    const others = methods.filter(({ method, effect }) => !verbOf(method)?.effects.includes(effect));

    expect(methods.length).toBeGreaterThan(100);
    expect(others).toEqual([]);
  });

  test('every verb of the table has a method', () => {
    const methods = Object.values(repositories).flatMap(([, { signatures }]) => Object.keys(signatures));

    expect(verbs.filter((verb) => !methods.some((method) => verbOf(method) === verb))).toEqual([]);
  });
});
