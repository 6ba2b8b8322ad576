import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Each test in these starts a process or a server, so a small file may take a minute.
const slow = /\/test\/(cli|embedded|orm-cli|package\.test)|\/packages\/migrator\/test\//;

/** Runs the files first that take long for their size, so that none of them runs alone at the end. */
export class SlowFoldersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => Number(slow.test(b.moduleId)) - Number(slow.test(a.moduleId)));
  }
}
