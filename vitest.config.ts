import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: more files side by side only make each other's time limits fail.
    maxWorkers: 2,
    pool: 'forks',
    globalSetup: ['test/support/database-server.ts'],
  },
})
