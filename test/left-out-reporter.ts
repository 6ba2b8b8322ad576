import type { Reporter, TestModule } from 'vitest/node';

/** Lists at the end which tests could not run on this machine, and what they lack. */
export class LeftOutReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const leftOut = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const result = test.result();
        const why = (result.state === 'skipped' && result.note) || 'no reason given';
        return `  ${module.relativeModuleId}: ${test.fullName}: ${why}`;
      }),
    );
    if (leftOut.length > 0)
      console.log([`Left out on this machine (${leftOut.length}):`, ...leftOut, ''].join('\n'));
  }
}
