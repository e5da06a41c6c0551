import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { isLong } from './test/support/effort.ts'

/** Minutes each: begun last, one of them would run alone at the end. */
const LONGEST = ['attackers/attackers', 'apply', 'doctor', 'backends', 'agent'].map((name) => `/lab/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name))
      return at === -1 ? LONGEST.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

const ORDER = ['unit', 'e2e', 'lab', 'agents']

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
    sequence: { groupOrder: ORDER.indexOf(name) },
  },
})

/**
 * unit: pure, fast, in parallel. e2e: real processes and sockets. lab: a real Debian 13 with systemd. agents: coding
 * agents that are installed apart.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'test/nix/**/*.test.ts', 'test/wire/*.test.ts'], 20_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 120_000, 1),
      project('lab', ['test/lab/**/*.test.ts'], 300_000, 2),
      project('agents', ['test/agents/*.test.ts'], 300_000, 1),
    ],
  },
})
