// Runs one agent on a task through Gate and a real llama.cpp, all of them in this process's network: started by
// agents.test.ts in a namespace that has loopback alone. Usage: run-agent.ts CLIENT. Prints an AgentRun.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { prepareLlama, startLlama } from '../engine/llama-server.ts'
import { startDaemon } from '../support/daemon.ts'
import { gatectl } from '../support/gatectl-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { AGENTS, type Agent, programOf } from './agents.ts'

/** What came of it. */
export type AgentRun = {
  /** The exit code of the agent, and what it wrote. */
  readonly code: number | null
  readonly output: string
  /** What its tool wrote. */
  readonly seen: string | undefined
  /** The models and outcomes of the requests that reached the engine, in order. */
  readonly requests: readonly {
    readonly outcome: string
    readonly input_tokens: number
    readonly output_tokens: number
  }[]
}

/** Claude Code asks with 21,000 tokens, Codex with 50,000. */
const CONTEXT_TOKENS = 2 * 65_536
const LONGEST_RUN_MS = 150_000

async function runAgent(agent: Agent): Promise<AgentRun> {
  const { client, args, env } = agent
  const llama = prepareLlama()
  if (llama.kind !== 'ready') throw new Error(llama.reason)
  const directory = temporaryDirectory()
  const engine = await startLlama(llama.root, directory.path, CONTEXT_TOKENS)
  const gate = await startDaemon({
    GATE_UPSTREAMS__ENGINE__PROVIDER: 'llama-cpp',
    GATE_UPSTREAMS__ENGINE__BASE_URL: `${engine.url}/v1`,
    GATE_UPSTREAMS__ENGINE__MODELS: '["tiny"]',
  })
  try {
    const home = directory.file('home')
    const work = directory.file('work')
    mkdirSync(home)
    mkdirSync(work)
    const written = await gatectl(['client', client, '--new-key', '--model', 'tiny', '--json'], {
      env: { HOME: home, GATE_ADMIN_SOCKET: join(gate.stateDirectory, 'admin.sock') },
    })
    if (written.code !== 0) throw new Error(written.stderr)
    const [start = ''] = JSON.parse(written.stdout).steps
    const path = [programOf(agent), join(process.execPath, '..'), process.env['PATH']].join(':')
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${start} "$@"`, client, ...args], {
      cwd: work,
      env: { HOME: home, PATH: path, TERM: 'dumb', CI: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      timeout: LONGEST_RUN_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 26,
    })
    const seen = join(work, 'seen.txt')
    await gate.stop() // so that every row is written
    return {
      code: status,
      output: stdout + stderr,
      seen: existsSync(seen) ? readFileSync(seen, 'utf8') : undefined,
      requests: requestsIn(join(gate.stateDirectory, 'gate.db')),
    }
  } finally {
    await gate.kill()
    gate.remove()
    await engine.stop()
    directory.remove()
  }
}

function requestsIn(file: string): AgentRun['requests'] {
  const database = new Database(file, { readonly: true })
  try {
    return database.prepare('SELECT outcome, input_tokens, output_tokens FROM usage').all() as AgentRun['requests']
  } finally {
    database.close()
  }
}

const agent = AGENTS.find(({ client }) => client === process.argv[2])
if (agent === undefined) throw new Error(`no agent "${process.argv[2]}"`)
console.log(JSON.stringify(await runAgent(agent)))
