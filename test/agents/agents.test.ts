// Coding agents, unmodified, do a task of two turns (aider: of one) through Gate on a real llama.cpp: with an empty HOME, the
// configuration that `gatectl client` writes, and a network that has loopback alone.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { prepareLlama } from '../engine/llama-server.ts'
import { hasProgram, tryRun } from '../support/programs.ts'
import { AGENTS, type Agent, programOf } from './agents.ts'
import type { AgentRun } from './run-agent.ts'

/** The model is tiny: what else stands in a prompt, such as the random name of a folder, may lead it astray. */
const MORE_TRIES = 2

const script = join(import.meta.dirname, 'run-agent.ts')

for (const agent of AGENTS) {
  const missing = missingFor(agent)
  const title = missing === undefined ? agent.client : `${agent.client} (needs ${missing})`
  test.skipIf(missing !== undefined)(
    `${title} does a task with a tool`,
    { timeout: 300_000, retry: MORE_TRIES },
    async () => {
      const inside = 'ip link set lo up && exec "$@"'
      const command = ['--net', 'sh', '-c', inside, 'sh', process.execPath, script, agent.client]
      const { stdout } = await promisify(execFile)('unshare', command, { maxBuffer: 2 ** 26 })
      const run = JSON.parse(stdout) as AgentRun
      expect(run.output).toContain(agent.says ?? 'It is sunny there!') // what the model says to the result of a tool
      expect(run).toMatchObject({ code: 0, seen: 'gate\n' })
      expect(run.requests.length).toBeGreaterThan(agent.says === undefined ? 1 : 0)
      for (const request of run.requests) {
        expect(request.outcome).toBe('ok')
        expect(request.input_tokens).toBeGreaterThan(0)
        expect(request.output_tokens).toBeGreaterThan(0)
      }
    },
  )
}

/** What this machine lacks. */
function missingFor(agent: Agent): string | undefined {
  if (!existsSync(programOf(agent))) return 'npm run test:agents, which installs it'
  if (!hasProgram('ip') || tryRun('unshare', ['--net', 'true']).status !== 0) return 'a network namespace, and ip'
  const llama = prepareLlama()
  return llama.kind === 'ready' ? undefined : `a real llama.cpp: ${llama.reason}`
}
