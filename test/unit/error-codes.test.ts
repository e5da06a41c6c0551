// Every code of schemas/words/error-codes.ts is provoked: a code without a row fails.
import { mkdirSync, readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { configKeys } from '../../config/key-set.ts'
import { firstProblems } from '../../config/problems.ts'
import { promoted } from '../../config/promote.ts'
import { expand } from '../../config/variables.ts'
import type { AdminBackends } from '../../daemon/admin/routes/backends.ts'
import { agentClient } from '../../daemon/backends/agent-client.ts'
import { must } from '../../host/apply/unit-actions.ts'
import { requireAuthority } from '../../host/ca/authority.ts'
import { readGeneration, readGenerations } from '../../host/generations/generations.ts'
import { type Host, type HostView, localHost } from '../../host/host.ts'
import { DEPLOYED_TARGETS, desiredState } from '../../host/plan/desired.ts'
import { NOTHING_MADE, type Observed } from '../../host/plan/observe.ts'
import { missingRequirements } from '../../host/plan/requirements.ts'
import { validate } from '../../host/plan/validate.ts'
import { HostError } from '../../host/problem.ts'
import { type AdminProblem, adminProblem } from '../../schemas/admin.ts'
import {
  ADMIN_CODES,
  AGENT_CODES,
  type CONFIG_CODES,
  GATECTL_CODES,
  type HOST_CODES,
  NO_AGENT_CODES,
} from '../../schemas/words/error-codes.ts'
import { startAdminDaemon } from '../support/admin-daemon.ts'
import { gatectl } from '../support/gatectl.ts'
import { scriptedAgent } from '../support/scripted-agent.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
const { file, write } = directory
const SPEC = `[backends.one]\nengine = "ollama"\nimage = "example.org/ollama@sha256:${'0'.repeat(64)}"\n`
beforeAll(() => {
  write('gate.toml', SPEC)
  write('broken.toml', 'gate = 1')
  write('broken.json', '{')
  mkdirSync(file('out'))
  mkdirSync(file('taken/quadlet/users/40000'), { recursive: true })
  write('out/gate.manifest.json', '[]')
  write('taken/quadlet/users/40000/gate-one.container', 'mine')
})
afterAll(directory.remove)

type Case<Code extends string> = { readonly [C in Code]: readonly string[] | Elsewhere }
/** Needs a process, other rights or a whole host: the test file that meets it. */
type Elsewhere = { readonly in: string }

const compileTo = (out: string) => ['compile', file('gate.toml'), '--target', 'quadlet', '--out', file(out)]

const GATECTL: Case<keyof typeof GATECTL_CODES> = {
  USAGE: ['frobnicate'],
  FILE_UNREADABLE: ['check', file('absent.toml')],
  FILE_EXISTS: ['init', file('gate.toml'), '--yes'],
  FILE_NOT_WRITTEN: ['doctor', file('gate.toml'), '--bundle', file('gate.toml')],
  FOREIGN_FILE: compileTo('taken'),
  INVALID_SPEC: ['explain', file('broken.toml'), 'x'],
  INVALID_LAYOUT: ['check', file('gate.toml'), '--layout', file('broken.json')],
  INVALID_SETTINGS: ['check', file('gate.toml'), '--settings', file('broken.json')],
  INVALID_MANIFEST: compileTo('out'),
  BACKUP_UNUSABLE: { in: 'e2e/backup.test.ts' },
  BACKUP_FAILED: { in: 'e2e/backup.test.ts' },
  AMBIGUOUS_KEY: { in: 'unit/ctl/token-revoke.test.ts' },
  NO_SUCH_OUTPUT: ['explain', file('gate.toml'), 'quadlet/nothing'],
  NO_DAEMON: ['status', '--socket', '/nowhere/admin.sock'],
  NO_GATEWAY: ['client', 'claude', '--url', 'http://127.0.0.1:1'],
  NOT_SIGNED_IN: ['status', '--gateway', 'http://127.0.0.1:1'],
  SIGN_IN_FAILED: { in: 'e2e/gatectl-login.test.ts' },
  NO_PERMISSION: { in: 'e2e/gatectl-process.test.ts' },
  NO_SHELL: { in: 'unit/ctl/shell.test.ts' },
  RELAY_REFUSED: { in: 'e2e/relay-program.test.ts' },
  CONNECTION_LOST: ['status', '--socket', file('silent.sock')],
  BAD_ANSWER: ['status', '--socket', file('web.sock')],
}

describe('gatectl', () => {
  const silent = createServer((socket) => socket.once('data', () => socket.end()))
  const web = createServer((socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')),
  )
  beforeAll(() => {
    silent.listen(file('silent.sock'))
    web.listen(file('web.sock'))
  })
  afterAll(() => {
    silent.close()
    web.close()
  })

  test.each(Object.entries(GATECTL))('%s', async (code, args) => {
    if ('in' in args) return expectIn(args, code)
    const run = await gatectl([...args, '--json'])
    const { status, exit = 1 }: { status: number; exit?: number } = GATECTL_CODES[code as keyof typeof GATECTL_CODES]
    expect(JSON.parse(run.stderr)).toMatchObject({ code, status })
    expect(run.code).toBe(exit)
  })
})

const ADMIN: Case<keyof typeof ADMIN_CODES> = {
  BAD_REQUEST: ['POST', '/v1/tokens', '{}'],
  INVALID_JSON: ['POST', '/v1/tokens', '{'],
  UNKNOWN_ROUTE: ['GET', '/v1/nothing'],
  TEXT_NOT_FOUND: ['GET', '/api/admin/texts/none'],
  TOKEN_NOT_FOUND: ['DELETE', '/v1/tokens/none'],
  BACKEND_NOT_FOUND: ['GET', '/v1/backends/tulk'],
  UPSTREAM_NOT_FOUND: ['DELETE', '/api/admin/upstreams/opnai'],
  BUDGET_NOT_FOUND: ['GET', '/api/admin/budgets/mnth'],
  CATEGORY_NOT_FOUND: ['DELETE', '/api/admin/categories/thinking'],
  MODEL_NOT_FOUND: ['DELETE', '/api/admin/models/coder'],
  ALREADY_EXISTS: ['POST', '/api/admin/upstreams', '{"name":"openai","provider":"openai"}'],
  NOT_AT_RUN_TIME: ['DELETE', '/api/admin/upstreams/openai'],
  IN_USE: { in: 'e2e/api.test.ts' },
  CERTIFICATE_NOT_FOUND: ['POST', '/v1/tls/renew/a.example'],
  METHOD_NOT_ALLOWED: ['PUT', '/v1/status'],
  NO_AGENT: ['GET', '/v1/backends/logs/mute'],
  BODY_TOO_LARGE: ['POST', '/v1/tokens', ' '.repeat(2 ** 20 + 1)],
  INTERNAL: ['GET', '/v1/backends'],
  BACKEND_FAILED: ['POST', '/v1/backends/start/talk'],
  KEYRING_CLOSED: { in: 'unit/daemon/admin/secrets.test.ts' },
  RENEWAL_FAILED: { in: 'unit/daemon/admin/tls.test.ts' },
  GIVEN_UP: { in: 'unit/daemon/admin/backends.test.ts' },
  TOO_MANY_FOLLOWERS: { in: 'unit/daemon/admin/backends.test.ts' },
}

describe('the admin API', () => {
  let said = ''
  let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
  const ask = async ([method = '', path = '', body = '']: readonly string[]): Promise<AdminProblem> => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({ socketPath: daemon.socketPath, method, path, agent: false }, resolve)
      sent.once('error', reject).end(body)
    })
    return adminProblem.parse(await json(response))
  }
  beforeAll(async () => {
    const talk = {
      name: 'talk',
      provider: 'custom',
      state: 'ready',
      requests_in_flight: 0,
      requests_waiting: 0,
    } as const
    const known = (name: string) => {
      if (name !== 'talk' && name !== 'mute') throw new RangeError(`no ${name}`)
      return { ...talk, name, log: [] }
    }
    const fail = () => Promise.reject(new Error('no'))
    const backends: AdminBackends = {
      lookUp: fail,
      list: () => [],
      status: known,
      agentOf: (name) => (known(name).name === 'mute' ? null : agentClient(agentThatSays(said))),
      start: fail,
      stop: fail,
      restart: fail,
    }
    daemon = await startAdminDaemon(undefined, backends)
  })
  afterAll(() => daemon.stop())

  test.each(Object.entries(ADMIN))('%s', async (code, asked) => {
    if ('in' in asked) return expectIn(asked, code)
    const { status } = ADMIN_CODES[code as keyof typeof ADMIN_CODES]
    expect(await ask(asked)).toMatchObject({ code, status })
  })

  test.each(Object.entries(AGENT_CODES))('hands on %s of an agent', async (code, { status }) => {
    said = `${JSON.stringify({ type: 'error', code, message: 'no' })}\n`
    expect(await ask(['GET', '/v1/backends/logs/talk'])).toMatchObject({ code, status })
  })

  const agents: Record<keyof typeof NO_AGENT_CODES, string> = {
    AGENT_UNREACHABLE: 'absent',
    CONNECTION_LOST: '',
    BAD_ANSWER: 'x\n',
  }
  test.each(Object.entries(agents))('%s', async (code, says) => {
    said = says
    const { status } = NO_AGENT_CODES[code as keyof typeof NO_AGENT_CODES]
    expect(await ask(['GET', '/v1/backends/logs/talk'])).toMatchObject({ code, status })
  })
})

/** @returns the path of its socket */
function agentThatSays(line: string): string {
  return line === 'absent' ? '/nowhere/agent.sock' : scriptedAgent((socket) => socket.end(line)).path
}

const edits = { in: 'unit/config/edits.test.ts' }
const environment = { in: 'unit/config/environment.test.ts' }
const layers = { in: 'unit/config/layers.test.ts' }
const runtimeFile = { in: 'unit/config/runtime-file.test.ts' }

const CONFIG: Readonly<Record<keyof typeof CONFIG_CODES, Elsewhere | (() => unknown)>> = {
  UNKNOWN_KEY: edits,
  WRONG_TYPE: edits,
  INVALID_VALUE: edits,
  INVALID_NAME: edits,
  MISSING_KEY: edits,
  UNKNOWN_VARIABLE: environment,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
  UNSET_VARIABLE: () => firstProblems(expand({ values: { a: '${NOPE}' }, whereOf: () => 'here' }, {}).mistakes),
  SET_TWICE: environment,
  UNREADABLE_FILE: runtimeFile,
  INVALID_TOML: runtimeFile,
  INVALID_JSON: layers,
  TORN_FILE: runtimeFile,
  DECLARED_SECRET: layers,
  UNKNOWN_UPSTREAM: edits,
  MISSING_BASE_URL: edits,
  MISSING_AGENT: edits,
  OPEN_TO_ALL: runtimeFile,
  CONFLICTING_NAMES: edits,
  KEY_WITHHELD: { in: 'unit/config/bound-keys.test.ts' },
  SEALED_ELSEWHERE: { in: 'unit/config/sealed-values.test.ts' },
  SHADOWED: edits,
  SOCKET_DECIDES: { in: 'unit/config/passed-socket.test.ts' },
  PLACEHOLDER: edits,
  NOT_EDITABLE: edits,
  BROKEN_FILE: edits,
  CHANGED_ON_DISK: edits,
  WRITE_FAILED: edits,
  NOT_PRINTABLE: () => promoted('nix', configKeys().tree, { log: { level: '\0' } }),
  MORE_PROBLEMS: { in: 'unit/config/hostile-files.test.ts' },
}

describe('configuration', () => {
  test.each(Object.entries(CONFIG))('%s', async (code, row) => expectRow(row, code))
})

const applied = { in: 'lab/apply.test.ts' }
const plan = { in: 'unit/host/plan.test.ts' }

const HOST: Readonly<Record<keyof typeof HOST_CODES, Elsewhere | (() => unknown)>> = {
  NOT_ROOT: applied,
  BUSY: { in: 'unit/host/lock.test.ts' },
  NO_PODMAN: () => lacking({ podman: undefined }),
  NO_PROGRAM: () => lacking({ podman: { major: 5, minor: 4 } }),
  WRONG_VERSION: () => lacking({ podman: { major: 4, minor: 3 } }),
  NOT_READABLE: () => localHost().read(directory.path),
  NOT_WRITABLE: () => localHost().write(file('gate.toml/x'), '', 0o644),
  DISK_FULL: () => must(programs({ code: 1, stderr: 'write: No space left on device' }), ['true']),
  FOREIGN_FILE: plan,
  ACCOUNT_CONFLICT: plan,
  SUBID_CONFLICT: plan,
  PORT_TAKEN: { in: 'unit/host/requirements.test.ts' },
  MISSING_SECRET: () => lacking({ podman: undefined }),
  INVALID_SECRET: { in: 'unit/host/requirements.test.ts' },
  MISSING_MODEL: { in: 'unit/host/models.test.ts' },
  UNSAFE_MODELS: { in: 'unit/host/ownership.test.ts' },
  UNSAFE_MOUNT: { in: 'unit/host/mount-sources.test.ts' },
  MISSING_IMAGE: applied,
  INVALID_FILE: () => validate(programs({ code: 1, stderr: 'no' }), DESIRED),
  UNIT_FAILED: applied,
  PROGRAM_FAILED: () => must(programs({ code: 1, stderr: 'no' }), ['true']),
  NO_CA: () => requireAuthority(localHost(), directory.path),
  CA_REFUSES: { in: 'unit/host/ca/keep.test.ts' },
  NO_CERTIFICATE: { in: 'unit/ctl/ca.test.ts' },
  NO_GENERATION: () => readGeneration(programs({}), readGenerations(programs({}), 'gate'), 7),
  BAD_RECORD: () => {
    const generations = readGenerations(programs({}), 'gate')
    return readGeneration(programs({}), { ...generations, manifests: new Map([[1, DESIRED.generation]]) }, 1)
  },
}

const DESIRED = (() => {
  const result = compile(`${SPEC}secrets = { HF_TOKEN = { credential = "hf" } }\n`, { targets: DEPLOYED_TARGETS })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return desiredState(result, '')
})()

/** A host without files, on which every program ends so. */
function programs(result: { readonly code?: number; readonly stderr?: string }): Host {
  const run = async () => ({ code: 0, stdout: '', stderr: '', ...result })
  return { ...localHost(), read: () => undefined, status: () => undefined, list: () => [], ask: run, run }
}

function lacking({ podman }: { readonly podman: { major: number; minor: number } | undefined }) {
  const observed = {
    generations: readGenerations(programs({}), 'gate'),
    accounts: { users: new Map(), groups: new Map(), subuids: [], subgids: [], linger: new Set() },
    elsewhere: [],
    made: NOTHING_MADE,
    files: new Map(),
    links: new Map(),
    missingImages: [],
    running: new Set(),
  } as unknown as Observed // what is looked at
  return missingRequirements(programs({}) as HostView, DESIRED, observed, { podman, systemd: 257 })
}

describe('the host', () => {
  test.each(Object.entries(HOST))('%s', async (code, row) => expectRow(row, code))
})

/** A row is met in a test elsewhere, or returns or throws the code among its problems. */
async function expectRow(row: Elsewhere | (() => unknown), code: string): Promise<void> {
  if ('in' in row) return expectIn(row, code)
  const outcome = await (async () => row())().catch((error: unknown) => error)
  const problems = outcome instanceof HostError ? outcome.problems : outcome
  expect(JSON.stringify(problems)).toContain(`"code":"${code}"`)
}

function expectIn({ in: path }: Elsewhere, code: string): void {
  expect(readFileSync(join(import.meta.dirname, '..', path), 'utf8')).toContain(code)
}
