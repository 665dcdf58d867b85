import { globSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { whyNoSandbox } from './test/support/no-sandbox.ts'

const endToEnd = 'test/end-to-end/**/*.test.ts'

export default defineConfig(async () => {
  // Every end-to-end test needs a sandbox; the others skip by themselves what they cannot do.
  const reason = await whyNoSandbox()
  if (reason !== null) {
    const files = globSync(endToEnd).length
    console.warn(`skipped: ${files} files of end-to-end tests, since no sandbox can be made here: ${reason}`)
  }
  return {
    test: {
      include: ['test/**/*.test.ts'],
      exclude: reason === null ? [] : [endToEnd],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // Two cores: more files side by side only make each other's time limits fail.
      maxWorkers: 2,
      pool: 'forks',
      globalSetup: ['test/support/database-server.ts', 'test/support/no-sandbox.ts'],
    },
  }
})
