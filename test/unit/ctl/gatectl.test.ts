import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adminProblem } from '../../../schemas/admin.ts'
import { API_ANSWERS, type ApiRouteName } from '../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'

let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
beforeAll(async () => {
  daemon = await startAdminDaemon()
})
afterAll(() => daemon.stop())

/** Runs a command against the daemon of this file. */
const ctl = (args: readonly string[], options: Parameters<typeof gatectl>[1] = {}) =>
  gatectl(args, { ...options, env: { GATE_ADMIN_SOCKET: daemon.socketPath, ...options.env } })

test.each<{ args: string; route: ApiRouteName; code?: number }>([
  { args: 'status', route: 'GET /api/admin/system' },
  { args: 'reload', route: 'POST /api/admin/reload' },
  { args: 'token create --name ci --scopes chat:read,chat:write --expires 30d', route: 'POST /api/admin/keys' },
  { args: 'auth create-token --scopes chat:read,chat:write --name api-client', route: 'POST /api/admin/keys' },
  { args: 'token create --models coder --categories code', route: 'POST /api/admin/keys' },
  { args: 'token create --pin coder --trust-users', route: 'POST /api/admin/keys' },
  { args: 'token list', route: 'GET /api/admin/keys' },
  { args: 'config get log.level', route: 'GET /api/admin/config/keys/{key}' },
  { args: 'config get letsencrypt.email', route: 'GET /api/admin/config/keys/{key}', code: 1 },
  { args: 'config get --all', route: 'GET /api/admin/config' },
  { args: 'config set log.level debug', route: 'PUT /api/admin/config/keys/{key}' },
  { args: 'config unset log.level', route: 'DELETE /api/admin/config/keys/{key}' },
  { args: 'config explain server.port', route: 'GET /api/admin/config/keys/{key}' },
  { args: 'config diff', route: 'GET /api/admin/config/diff' },
  { args: 'config promote', route: 'GET /api/admin/config/promote' },
  { args: 'config promote --format nix', route: 'GET /api/admin/config/promote' },
  { args: 'config validate', route: 'POST /api/admin/config/validate' },
])('gatectl $args --json prints the shape of $route', async ({ args, route, code = 0 }) => {
  const run = await ctl([...args.split(' '), '--json'])
  expect(run.code).toBe(code)
  expect(API_ANSWERS[route].safeParse(JSON.parse(run.stdout)).error).toBeUndefined()
})

test('status shows upstreams and problems without letting them move the cursor', async () => {
  const run = await ctl(['status'])
  expect(run.stdout).toMatchInlineSnapshot(`
    "gate-daemon 0.0.0-test, ready, process 4711, since 2026-11-20T12:00:00.000Z
    asked       over the admin socket
    listening   http://127.0.0.1:3000
    in flight   2 requests
    store       /var/lib/gate/gate.db, 7 rows to write

    UPSTREAM  PROVIDER  STATE  MODELS  LAST ERROR
    echo      echo      ready  1
    openai    openai    down   0       connection refused\\u001b[31m

    problems of the configuration:
      config.toml:3:1: no value
        write one
    "
  `)
})

test('status says why no new request is served, in the words of /ready', async () => {
  const refusing = await startAdminDaemon(undefined, undefined, { not_ready: 'the disk is full' })
  const { stdout } = await gatectl(['status'], { env: { GATE_ADMIN_SOCKET: refusing.socketPath } })
  await refusing.stop()
  expect(stdout).toMatch(/^gate-daemon \S+, not ready, /)
  expect(stdout).toContain('\nrefusing    no new request is served: the disk is full\n')
})

test('token create prints the key alone, and says that it may do everything', async () => {
  const run = await ctl(['token', 'create'])
  expect(run.stdout).toMatch(/^gate_[\w-]{43}\n$/)
  expect(run.stderr).toMatch(/this key may do everything \(scope admin\)/)
  expect(run.code).toBe(0)
})

test('token create --models and --categories limits a key, which then is for requests alone', async () => {
  const run = await ctl(['token', 'create', '--name', 'guest', '--models', 'coder, local/*', '--categories', 'code'])
  expect(run.stderr).toMatch(
    /^created \S+ "guest", scopes chat:write, models coder, local\/\*, category code, never expires; it is shown/,
  )
  const list = await ctl(['token', 'list'])
  expect(list.stdout).toMatch(/MODELS\n/)
  expect(list.stdout).toMatch(/ guest +- +chat:write +\S+ +valid +coder, local\/\*, category code\n/)
  const empty = await ctl(['token', 'create', '--models', ''])
  expect(empty).toMatchObject({ code: 1, stdout: '' })
})

test('token revoke makes a key worthless, once', async () => {
  const made = await ctl(['token', 'create', '--json'])
  const { id } = API_ANSWERS['POST /api/admin/keys'].parse(JSON.parse(made.stdout))
  const revoked = await ctl(['token', 'revoke', id, '--json'])
  expect(API_ANSWERS['DELETE /api/admin/keys/{id}'].parse(JSON.parse(revoked.stdout)).id).toBe(id)
  const again = await ctl(['token', 'revoke', id])
  expect(again).toMatchObject({ code: 1, stdout: '' })
  expect(again.stderr).toMatch(/gatectl token list shows the ids/)
})

test.each([
  { name: 'an argument', args: ['VALUE'], stdin: '' },
  { name: 'standard input', args: ['-'], stdin: 'VALUE\n' },
  { name: 'a file', args: ['--file', 'FILE'], stdin: '' },
])('config set takes the value from $name', async ({ args, stdin }) => {
  const file = join(daemon.folder, 'value')
  writeFileSync(file, 'warn\r\n')
  const given = args.map((arg) => (arg === 'FILE' ? file : arg.replace('VALUE', 'warn')))
  const set = await ctl(['config', 'set', 'log.level', ...given], { stdin: stdin.replace('VALUE', 'warn') })
  expect(set).toMatchObject({ code: 0, stdout: 'changed: log.level\n', stderr: '' })
  expect((await ctl(['config', 'get', 'log.level'])).stdout).toBe('warn\n')
  await ctl(['config', 'unset', 'log.level'])
})

test('config set takes a value that looks like an option after "--"', async () => {
  const run = await ctl(['config', 'set', 'log.level', '--json', '--', '--force'])
  expect(run.code).toBe(1)
  expect(JSON.parse(run.stderr)).toMatchObject({ code: 'INVALID_VALUE' })
})

test('config set says what waits for a restart and what the environment hides', async () => {
  expect((await ctl(['config', 'set', 'server.port', '5000'])).stderr).toMatch(
    /takes effect when gate-daemon restarts.*server\.port/,
  )
  const refused = await ctl(['config', 'set', 'upstreams.openai.api_key', 'x'])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  const forced = await ctl(['config', 'set', 'upstreams.openai.api_key', 'x', '--force'])
  expect(forced.code).toBe(0)
  expect(forced.stderr).toMatch(/the environment hides what the runtime configuration says: upstreams\.openai\.api_key/)
})

test('config explain shows the four layers and never a secret', async () => {
  const port = await ctl(['config', 'explain', 'server.port'])
  expect(port.stdout).toMatch(/\n\* +(runtime|nix) /)
  for (const layer of ['env', 'runtime', 'declared', 'defaults']) expect(port.stdout).toContain(layer)
  const key = await ctl(['config', 'explain', 'upstreams.openai.api_key'])
  expect(key.stdout).toContain('(secret)')
  expect(key.stdout + key.stderr).not.toContain('canary')
})

test('C8: usage lists models, keys, upstreams and users of programs, or one of them', async () => {
  const { stdout, code } = await ctl(['usage', '--since', '7d'])
  expect(code).toBe(0)
  expect(stdout.replace(/^\S+Z to \S+Z/, 'A to B')).toBe(
    [
      'A to B: 3 requests, 1 failed',
      '▂█▄  requests, 4 at most',
      '',
      'MODEL          REQUESTS  FAILED  INPUT   OUTPUT  COST     MEDIAN',
      'gpt-4.1        2         0       1,234   56      $0.0123  340 ms',
      'odd\\u001b[31m  1         1       ~1,234  ~56     ?        61.4 s',
      '',
      'KEY         REQUESTS  FAILED  INPUT  OUTPUT  COST      MEDIAN',
      'auth.token  3         0       1,234  56      <$0.0001  340 ms',
      '',
      'UPSTREAM  REQUESTS  FAILED  INPUT  OUTPUT  COST  MEDIAN',
      'box       3         3       0      0       -     -',
      '',
      'USER             REQUESTS  FAILED  INPUT  OUTPUT  COST     MEDIAN',
      'ann@example.org  1         0       1,234  56      $0.0123  200 ms',
      '',
      '1 request went to a model of no known price, and cost more than is shown: set upstreams.NAME.prices',
      '',
      '~ counted in part by Gate, as the upstream did not report it',
      '',
    ].join('\n'),
  )
  const keys = await ctl(['usage', '--by', 'key'])
  expect(keys.stdout).toMatch(/\nKEY /)
  expect(keys.stdout).not.toMatch(/MODEL|UPSTREAM/)
})

test('usage as CSV: one header, and names that are no formulas', async () => {
  const { stdout } = await ctl(['usage', '--csv', '--by', 'model'])
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    'by,name,requests,failed,cancelled,estimated,input_tokens,output_tokens,cached_tokens,cost_microdollars,unpriced,median_ms',
    'model,gpt-4.1,2,0,0,0,1234,56,0,12345,0,340',
  ])
  expect(stdout).not.toContain('\u001b')
})

test('audit lists who did what, without control characters; verify says whether it is whole', async () => {
  const { stdout, code } = await ctl(['audit'])
  expect(code).toBe(0)
  expect(stdout.split('\n').slice(0, 2)).toEqual([
    'TIME                 WHO                      FROM       ACTION      OBJECT  OUTCOME',
    '2026-11-20 12:00:00  ann\\u001b[31m (session)  192.0.2.7  key.create  key:k2  done',
  ])
  const verify = await ctl(['audit', 'verify'])
  expect(verify).toMatchObject({ code: 0 })
  expect(verify.stdout).toMatch(/^1 entry\nlast entry: 1:abab/)
  expect(await ctl(['audit', 'verify', '--head', 'x'])).toMatchObject({ code: 2 })
})

test.each([
  { args: ['--by', 'colour'], code: 2, says: /there are: model, key, upstream, user/ },
  { args: ['--since', 'yesterday'], code: 1, says: /neither a duration nor a time\n {2}write 24h, 7d, today/ },
  { args: ['--since', '9999-01-01'], code: 1, says: /not a time in the past/ },
  { args: ['--since', '2026-02-30'], code: 1, says: /2026-02-30 is not a time: there is no such day/ },
  { args: ['--since', '2026-02-31x'], code: 1, says: /not a time/ },
  { args: ['--since', '2026-02-28x'], code: 1, says: /not a time/ },
])('C8: usage $args is refused', async ({ args, code, says }) => {
  const run = await ctl(['usage', ...args])
  expect(run).toMatchObject({ code, stdout: '' })
  expect(run.stderr).toMatch(says)
})

test.each(['today', '2026-01-01', '0.5h', '400d'])('C8: usage --since %s', async (since) => {
  const { stdout } = await ctl(['usage', '--json', '--since', since])
  const report = API_ANSWERS['GET /api/admin/usage'].parse(JSON.parse(stdout))
  const [from, until] = [new Date(report.since), new Date(report.until)]
  expect(from.getTime()).toBeLessThanOrEqual(until.getTime())
  if (!/[hd]$/.test(since)) expect([from.getHours(), from.getMinutes(), from.getMilliseconds()]).toEqual([0, 0, 0])
})

test('route explain shows each target with its turn, and why', async () => {
  const { stdout, code } = await ctl(['route', 'explain', '--model', 'coder', '--holds', 'image'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^coder: cost\n/)
  expect(stdout).toMatch(/^1 +box +coder +well, not measured, 0 in flight$/m)
  expect(stdout).toMatch(/^- +openai +coder +the model takes no image$/m)
  const { stdout: json } = await ctl(['route', 'explain', '--model', 'coder', '--json'])
  expect(API_ANSWERS['POST /api/admin/route'].parse(JSON.parse(json)).targets).toHaveLength(2)
  expect(await ctl(['route', 'explain'])).toMatchObject({ code: 2, stdout: '' })
})

test('upstream list shows how well each speaks which dialect', async () => {
  const { stdout } = await ctl(['upstream', 'list'])
  expect(stdout).toMatch(/^echo +echo +ready +1 +openai-chat native$/m)
  expect(stdout).toMatch(/ openai-chat native, anthropic repair \(probed\), openai-responses translate \(set\)$/m)
  expect(stdout).toMatch(/^openai: anthropic: tool_use blocks without input$/m)
})

test.each([
  { name: 'nothing known', args: ['frobnicate'], says: /unknown command "frobnicate"/ },
  { name: 'a typo', args: ['statsu'], says: /did you mean "gatectl status"\?/ },
  {
    name: 'a typo in the second word',
    args: ['config', 'explian', 'x'],
    says: /did you mean "gatectl config explain"\?/,
  },
  { name: 'half a command', args: ['token'], says: /token create, token list, token revoke/ },
  { name: 'an unknown option', args: ['config', 'set', 'a', 'b', '--forse'], says: /did you mean --force\?/ },
  { name: 'a value that looks like an option', args: ['config', 'set', 'a', '-1'], says: /put "--" before/ },
  { name: 'an option without value', args: ['status', '--socket'], says: /argument missing/ },
  { name: 'a missing argument', args: ['token', 'revoke'], says: /KEY is missing/ },
  {
    name: 'an argument too many',
    args: ['status', 'now'],
    says: /"now" is one argument too many; quote an argument that has spaces/,
  },
  { name: 'a value twice', args: ['config', 'set', 'a', 'b', '--file', 'c'], says: /give a VALUE, or --file FILE/ },
  { name: 'no key', args: ['config', 'get'], says: /give a KEY, or --all/ },
  {
    name: 'an unknown format',
    args: ['config', 'promote', '--format', 'yaml'],
    says: /unknown format "yaml"\n.*nix, spec/,
  },
  { name: 'an unknown shell', args: ['completion', 'tcsh'], says: /there are: bash, zsh, fish/ },
  {
    name: 'nothing to complete',
    args: ['complete', 'x'],
    says: /there are: config-key, config-value, token, backend-name/,
  },
  {
    name: 'C5 half a scope',
    args: ['token', 'create', '--scopes', 'chat'],
    says: /"chat"\n.*chat:read or chat:write\?/,
  },
  { name: 'C5 a scope misspelled', args: ['token', 'create', '--scopes', 'admn'], says: /did you mean admin\?/ },
  { name: 'C5 no scope at all', args: ['token', 'create', '--scopes', ''], says: /there are: chat:read/ },
  { name: 'no number', args: ['logs', '-n', 'x'], says: /is not a number of lines/ },
])('exits with 2 for $name', async ({ args, says }) => {
  const run = await ctl(args)
  expect(run.stderr).toMatch(says)
  expect(run).toMatchObject({ code: 2, stdout: '' })
})

test('names every path it tried when no daemon answers', async () => {
  const env = { GATE_ADMIN_SOCKET: '', STATE_DIRECTORY: '/nowhere/a:/nowhere/b', XDG_STATE_HOME: '/nowhere/c' }
  const run = await ctl(['status', '--json'], { env })
  expect(run).toMatchObject({ code: 1, stdout: '' })
  const { code, detail, hint } = adminProblem.parse(JSON.parse(run.stderr))
  expect(code).toBe('NO_DAEMON')
  for (const path of ['/nowhere/a/admin.sock', '/nowhere/c/gate/admin.sock', '/run/gate/admin.sock'])
    expect(detail).toContain(path)
  expect(hint).toMatch(/systemctl start gate-daemon\.socket/)
})

test.each([
  { name: '--socket', args: ['--socket', '/nowhere/only.sock'], env: { STATE_DIRECTORY: 'FOLDER' } },
  { name: '$GATE_ADMIN_SOCKET', args: [], env: { GATE_ADMIN_SOCKET: '/nowhere/only.sock', STATE_DIRECTORY: 'FOLDER' } },
])('talks to no other daemon than the one that $name names', async ({ args, env }) => {
  const run = await gatectl([...args, 'status'], { env: { ...env, STATE_DIRECTORY: daemon.folder } })
  expect(run.code).toBe(1)
  expect(run.stderr).toMatch(/tried \/nowhere\/only\.sock \(not there\)\n/)
})

test('finds the daemon in $STATE_DIRECTORY', async () => {
  expect((await gatectl(['status'], { env: { STATE_DIRECTORY: daemon.folder } })).code).toBe(0)
})

test.each([
  { name: 'garbage', bytes: 'garbage\r\n\r\n', says: /Parse Error/ },
  { name: 'a web page', bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi', says: /not as gate-daemon does/ },
  {
    name: 'broken JSON',
    bytes: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{"',
    says: /not as gate-daemon does/,
  },
  {
    name: 'half an answer',
    bytes: 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"',
    says: /aborted/,
  },
  { name: 'nothing', bytes: '', says: /socket hang up/ },
])('fails in one line when the socket answers $name', async ({ bytes, says }) => {
  const path = join(daemon.folder, 'other.sock')
  const other = createServer((socket) => socket.once('data', () => socket.end(bytes))).listen(path)
  try {
    const run = await gatectl(['--socket', path, 'status'])
    expect(run.stderr).toMatch(says)
    expect(run.stderr).not.toMatch(/\n +at /)
    expect(run).toMatchObject({ code: 1, stdout: '' })
  } finally {
    other.close()
  }
})
