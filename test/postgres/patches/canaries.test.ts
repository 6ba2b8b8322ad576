import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canaries } from './canaries.ts';

const root = `${import.meta.dirname}/../../..`;

test.for(Object.entries(canaries))('%s is still needed, and still works', async ([, { holds }]) => {
  expect.hasAssertions();
  await holds();
});

describe('the patches of libraries', () => {
  test.for(Object.entries(canaries))(
    '%s was checked on the installed version',
    ([, { library, version }]) => {
      const manifest: unknown = JSON.parse(
        readFileSync(`${root}/node_modules/${library}/package.json`, 'utf8'),
      );
      expect(manifest).toMatchObject({ version });
    },
  );

  test('have one canary each', () => {
    const files = globSync('*/*.ts', { cwd: `${root}/src/postgres/patches` }).map((file) =>
      basename(file, '.ts'),
    );
    expect(Object.keys(canaries).toSorted()).toEqual(files.toSorted());
  });
});
