import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: {
      'mikro-orm-safe-migrations': `${import.meta.dirname}/src/index.ts`,
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/kit/global-setup.ts'],
    pool: 'forks',
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
