import { defineConfig } from 'vitest/config'
import { isLong } from './test/support/effort.ts'

const project = (name: string, include: string[], testTimeout: number, workers?: 1 | 2) => ({
  test: {
    name,
    globalSetup: name === 'lab' ? ['test/lab/setup.ts'] : [],
    setupFiles: name === 'e2e' ? ['test/e2e/setup.ts'] : [],
    include,
    testTimeout: isLong ? 10 * testTimeout : testTimeout,
    hookTimeout: testTimeout,
    fileParallelism: workers !== 1,
    ...(workers !== undefined && { maxWorkers: workers }),
    // pure tests need no module graph of their own each: half of the tier's time went there
    isolate: name !== 'unit',
    sequence: { groupOrder: name === 'unit' ? 0 : name === 'e2e' ? 1 : 2 },
  },
})

/** unit: pure, fast, in parallel. e2e: real processes and sockets. lab: a real Debian 13 with systemd. */
export default defineConfig({
  test: {
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/nix/**/*.test.ts', 'test/wire/*.test.ts'], 20_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 120_000, 1),
      project('lab', ['test/lab/**/*.test.ts'], 300_000, 2),
    ],
  },
})
