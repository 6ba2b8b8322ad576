import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The examples import the package by its name, as whoever copies them will.
  resolve: {
    alias: [
      { find: /^synth-lab-data$/, replacement: `${import.meta.dirname}/src/index.ts` },
      { find: /^synth-lab-data\/(.*)$/, replacement: `${import.meta.dirname}/src/$1/index.ts` },
    ],
  },
  test: {
    globalSetup: ['test/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
