import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One browser at a time: each brings half a dozen processes.
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
