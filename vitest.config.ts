import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LeftOutReporter } from './test/left-out-reporter.ts';
import { SlowFilesFirst } from './test/slow-files-first.ts';

// A path, to which the results are written for whoever adds them up.
const json = process.env['VITEST_JSON'];

export default defineConfig({
  // The examples import the package by its name, as whoever copies them will.
  resolve: {
    alias: [
      {
        find: /^mikro-orm-safe-migrations$/,
        replacement: `${import.meta.dirname}/packages/migrator/src/index.ts`,
      },
      {
        find: /^mikro-orm-safe-migrations\/(.*)$/,
        replacement: `${import.meta.dirname}/packages/migrator/src/$1/index.ts`,
      },
      { find: /^synth-lab-data$/, replacement: `${import.meta.dirname}/src/index.ts` },
      {
        find: /^synth-lab-data\/(entities|migrations)$/,
        replacement: `${import.meta.dirname}/src/$1.ts`,
      },
      { find: /^synth-lab-data\/(.*)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
    ],
  },
  test: {
    include: ['{test,packages/*/test}/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    // Loading the ORM anew for each file costs more than most files do. Our own modules begin anew all the same.
    isolate: false,
    setupFiles: ['test/fresh-modules.ts'],
    // A worker waits for servers and processes for part of the time. A percentage could not exceed 100.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SlowFilesFirst },
    // What must be quick says so itself, by comparing times; the rest may take long on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // Many tests have to hit a moment from outside, by a signal or a lock. Where nobody watches, they get another chance.
    retry: process.env['CI'] ? 2 : 0,
    reporters: ['default', new LeftOutReporter(), ...(json ? ['json'] : [])],
    ...(json && { outputFile: { json } }),
    // `vitest run --coverage`
    coverage: { provider: 'v8', include: ['{src,packages/*/src}/**'], reporter: ['text', 'html'] },
  },
});
