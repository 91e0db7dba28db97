/** Which tests a mutant meets: those of its subject, named by the runner. Stryker copies the repository and runs it there. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: process.cwd(),
    include: (process.env['MUTATION_TESTS'] ?? '').split(','),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
