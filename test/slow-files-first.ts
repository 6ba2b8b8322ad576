import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Each test in these folders starts a process or a server, so a small file may take a minute.
const slowFolders = /\/test\/(cli|embedded|orm-cli)\/|\/packages\/migrator\/test\//;

/** Runs the files first that take long, or long for their size, so that none of them runs alone at the end. */
export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => duration(b) - duration(a));
  }
}

/** How long a file takes for its size, as a rank. */
function duration({ moduleId }: TestSpecification): number {
  if (moduleId.endsWith('.slow.test.ts')) return 2;
  return slowFolders.test(moduleId) ? 1 : 0;
}
