import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Module, readProject } from './module.ts';

const isTest = ({ path }: Module): boolean => path.endsWith('.test.ts');
const isQuick = (module: Module): boolean => isTest(module) && !module.path.endsWith('.slow.test.ts');

/** Returns the folders of sources that `make test` leaves out: those whose tests are all slow. */
function foldersWithoutQuickTest(project: readonly Module[]): string[] {
  const sources = new Set(project.map(({ path }) => posix.dirname(path)).filter(isSource));
  const quick = new Set(project.filter(isQuick).flatMap(testedFolders));
  const all = new Set(project.filter(isTest).flatMap(testedFolders));
  return [...all].filter((folder) => sources.has(folder) && !quick.has(folder));
}

/** Returns the folders that a test is about: those that it imports from, and the one that its own folder is named after. */
function testedFolders({ path, imports }: Module): string[] {
  const named = posix.dirname(path).replace(/^((?:packages\/migrator\/)?)test\b/, '$1src');
  return [named, ...imports.map(({ from }) => posix.dirname(from))];
}

function isSource(folder: string): boolean {
  return /^(packages\/migrator\/)?src\//.test(folder);
}

describe('the quick tests', () => {
  test('leave no folder of sources out', () => {
    expect(foldersWithoutQuickTest(readProject())).toEqual([]);
  });

  test('leave out a folder with slow tests only, in its own folder or elsewhere', () => {
    const project = [
      new Module('src/a/one.ts', ''),
      new Module('src/b/two.ts', ''),
      new Module('packages/migrator/src/c/three.ts', ''),
      new Module('test/a/one.slow.test.ts', `import '../../src/b/two.ts';`),
      new Module('test/b/two.test.ts', ''),
      new Module('packages/migrator/test/three.slow.test.ts', `import '../src/c/three.ts';`),
    ];

    expect(foldersWithoutQuickTest(project)).toEqual(['src/a', 'packages/migrator/src/c']);
  });
});
