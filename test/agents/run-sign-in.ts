// Signs the official Claude Code in to Gate, in a terminal, and then has it ask Gate once: started by sign-in.test.ts in
// a namespace that has loopback alone. Prints a SignInRun.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startDaemon } from '../support/daemon.ts'
import { startIdentityProvider } from '../support/identity-providers.ts'
import { decideOnDevice, signInFirst } from '../support/signed-in-person.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { AGENTS, programOf } from './agents.ts'

/** What came of it. */
export type SignInRun = {
  /** The last that its terminal has shown. */
  readonly screen: string
  /** Of `claude -p`, once it has signed in, and with the sign-in ended. */
  readonly answered: { readonly code: number | null; readonly output: string }
  readonly revoked: { readonly code: number | null; readonly output: string }
  /** What it has asked Gate for with its token, such as `GET /managed/settings 200`. */
  readonly requests: readonly string[]
}

declare function spawnTerminal(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly cols: number; readonly rows: number },
): {
  onData(listener: (text: string) => void): void
  write(text: string): void
  kill(signal: string): void
}
// Gate's own: that of the agents' package is built by none of them, and its types are of another version
const { spawn } = createRequire(join(import.meta.dirname, '../../package.json'))('node-pty') as {
  spawn: typeof spawnTerminal
}

const STEP_MS = 30_000
const UP = '\x1b[A'
const ENTER = '\r'

const directory = temporaryDirectory()
const home = directory.file('home')
const work = directory.file('work')
const daemon = await startDaemon({
  GATE_AUTH__MODE: 'token,device,oidc',
  GATE_MANAGED__CLAUDE_CODE: '{"env":{"CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY":"1"}}',
})
const op = await startIdentityProvider([`${daemon.url}/auth/callback`])
const [agent] = AGENTS
if (agent === undefined) throw new Error('there is no agent')
const program = join(programOf(agent), 'claude')
const env = {
  HOME: home,
  PATH: process.env['PATH'] ?? '',
  BROWSER: '/bin/true',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
}
try {
  mkdirSync(join(home, '.claude'), { recursive: true })
  mkdirSync(work)
  const settings = { forceLoginMethod: 'gateway', forceLoginGatewayUrl: daemon.url }
  writeFileSync(join(home, '.claude/settings.json'), JSON.stringify(settings))
  const session = await signInFirst(daemon, op.issuer, 'mara')
  const screen = await signIn(session)
  const answered = ask()
  const listed = await fetch(`${daemon.url}/api/user/devices`, { headers: { cookie: session } })
  const { devices } = (await listed.json()) as { devices: { id: string }[] }
  for (const { id } of devices) {
    const headers = { cookie: session, 'sec-fetch-site': 'same-origin' }
    await fetch(`${daemon.url}/api/user/devices/${id}`, { method: 'DELETE', headers })
  }
  const revoked = ask()
  await daemon.stop() // and so all of its log is here
  const run: SignInRun = { screen: screen.slice(-2_000), answered, revoked, requests: requestsIn(daemon.output()) }
  process.stdout.write(JSON.stringify(run))
} finally {
  await Promise.all([daemon.stop(), op.stop()])
  daemon.remove()
  directory.remove()
}

/** In its terminal, as a person does. @returns what it showed */
async function signIn(session: string): Promise<string> {
  const terminal = spawn(program, [], { cwd: work, env: { ...env, TERM: 'xterm-256color' }, cols: 160, rows: 50 })
  let shown = ''
  let isDrawn = (): void => {}
  terminal.onData((data) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins with them
    shown += data.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07/g, ' ')
    isDrawn()
  })
  const sees = (wanted: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ${wanted} in: ${shown.slice(-3_000)}`)), STEP_MS)
      isDrawn = () => {
        const found = wanted.exec(shown)
        if (found === null) return
        clearTimeout(late)
        shown = shown.slice(found.index + found[0].length)
        resolve(found[0])
      }
      isDrawn()
    })
  try {
    await sees(/Syntax\s+theme/)
    terminal.write(ENTER)
    await sees(/Enter\s+to\s+connect/)
    terminal.write(ENTER)
    await sees(/No,\s+cancel\s+login/)
    terminal.write(UP)
    await sees(/❯\s+Yes/)
    terminal.write(ENTER)
    const code = await sees(/[B-Z]{4}-[B-Z]{4}/)
    await decideOnDevice(daemon, session, code, 'approve')
    await sees(/Signed\s+in\s+to/)
    await sees(/No,\s+cancel\s+login/)
    terminal.write(UP)
    await sees(/❯\s+Yes/)
    terminal.write(ENTER)
    await sees(/Connected\s+to/)
    return shown
  } finally {
    terminal.kill('SIGKILL')
  }
}

function ask() {
  const { status, stdout, stderr } = spawnSync(program, ['-p', 'hello from the test', '--model', 'echo'], {
    cwd: work,
    env: { ...env, TERM: 'dumb', CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  return { code: status, output: `${stdout}${stderr}`.slice(-3_000) }
}

function requestsIn(log: string): string[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{') && line.includes('"message":"request"'))
  return lines.map((line) => {
    const { method, path, status } = JSON.parse(line)
    return `${method} ${path} ${status}`
  })
}
