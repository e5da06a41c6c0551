import { execFile, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { chatBody } from '../support/chat.ts'
import { until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

/** The environment of somebody who has only just got the sources: no variable and no PATH entry of this project. */
function strangersEnv(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(GATE_|npm_|NODE_ENV|VITEST)/.test(name))
  const path = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes('node_modules'))
  return { ...Object.fromEntries(own), PATH: path.join(':'), ...extra }
}

/** The files that git has or would take, as a clone has them. */
async function cloneTo(target: string): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 2 ** 24,
  })
  for (const file of stdout.split('\n')) {
    if (file === '' || !existsSync(join(root, file))) continue
    mkdirSync(dirname(join(target, file)), { recursive: true })
    cpSync(join(root, file), join(target, file))
  }
}

// what a clone installs is shown by `npm test` itself, which starts the same way
test(`npm start in a fresh clone${isLong ? '' : ', its packages put there'}: the printed command answers, streaming and not, and Ctrl-C stops it cleanly`, {
  timeout: 300_000,
}, async () => {
  const clone = place.file('clone')
  await cloneTo(clone)
  if (!isLong) symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  const env = strangersEnv({ XDG_STATE_HOME: place.file('state'), GATE_SERVER__PORT: '0' })
  const npm = spawn('npm', ['start'], { cwd: clone, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  npm.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  npm.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  try {
    await until(() => output.includes('token by token.') || npm.exitCode !== null, 240_000)
    const command = /^ {2}(curl [\s\S]*?\}')$/m.exec(output)?.[1] ?? ''
    expect(command, output).toContain('curl http://127.0.0.1:')
    const whole = await run('sh', ['-c', `${command} --silent --show-error`], { env })
    expect(JSON.parse(whole.stdout)).toMatchObject({ choices: [{ message: { content: 'Hello from Gate' } }] })
    const streaming = command.replace('{"model"', '{"stream":true,"model"')
    const streamed = await run('sh', ['-c', `${streaming} --silent --no-buffer`], { env })
    expect(streamed.stdout).toMatch(/"content":"Hello"[\s\S]*"content":" from"[\s\S]*\[DONE\]/)
    expect(readdirSync(place.file('state/gate'))).toContain('gate.db')
  } finally {
    // as a terminal does: to the whole group at once
    if (npm.pid !== undefined && npm.exitCode === null) process.kill(-npm.pid, 'SIGINT')
  }
  await until(() => npm.exitCode !== null || npm.signalCode !== null, 15_000)
  expect(output).toContain('"message":"stopped"')
  expect(output).not.toContain('cut off')
})

test.skipIf(!isLong)(
  'npm pack ships compiled JavaScript that runs where it is installed (needs npm run test:long)',
  { timeout: 300_000 },
  async () => {
    const clone = place.file('clone')
    await cloneTo(clone)
    await run('cp', ['-a', join(root, 'node_modules'), clone])
    const env = strangersEnv()
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', place.path], {
      cwd: clone,
      env: { ...env, PATH: `${join(root, 'node_modules/.bin')}:${env['PATH']}` },
    })
    const target = place.file('installed')
    mkdirSync(target)
    await run(
      'npm',
      [
        'install',
        '--prefix',
        target,
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--silent',
        place.file(packed.stdout.trim()),
      ],
      { env },
    )
    const installed = join(target, 'node_modules/gate')
    const shipped = readdirSync(installed, { recursive: true }).map(String)
    expect(shipped.filter((file) => /\.ts$/.test(file) || /^(test|bench)\//.test(file))).toEqual([])
    expect(shipped).toEqual(
      expect.arrayContaining(['dist/daemon/main.js', 'schemas/json/config.json', 'LICENSE', 'README.md']),
    )
    const version = await run(process.execPath, [join(installed, 'dist/bin/gatectl.js'), '--version'], { env })
    expect(version.stdout).toMatch(/\d+\.\d+\.\d+/)
    const daemon = await run(process.execPath, [join(installed, 'dist/bin/gate-daemon.js'), '--version'], { env })
    expect(daemon.stdout).toMatch(/gate-daemon \d+\.\d+\.\d+/)
    await servesAndImportsUsage(join(installed, 'dist/bin/gate-daemon.js'))
  },
)

/** The worker that imports usage rows is a program of its own, which only a daemon that serves starts. */
async function servesAndImportsUsage(program: string): Promise<void> {
  const state = place.file('installed-state')
  const env = strangersEnv({
    GATE_SERVER__PORT: '0',
    GATE_AUTH__TOKEN: 'a-token-of-this-test',
    GATE_DISCOVERY__ENABLED: 'false',
  })
  const daemon = spawn(process.execPath, [program], { env: { ...env, STATE_DIRECTORY: state } })
  let output = ''
  daemon.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  try {
    const listening = () => /"url":"(http:[^"]+)"/.exec(output)?.[1]
    await until(() => listening() !== undefined, 15_000)
    const answer = await fetch(`${listening()}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer a-token-of-this-test', 'content-type': 'application/json' },
      body: chatBody('hello'),
    })
    expect(answer.status).toBe(200)
    const isJournal = (name: string) => name.startsWith('gate.db-usage-')
    await until(() => !readdirSync(state).some(isJournal))
  } finally {
    daemon.kill('SIGTERM')
  }
  await until(() => daemon.exitCode !== null || daemon.signalCode !== null, 15_000)
  const database = openDatabase(join(state, 'gate.db'))
  expect(database.prepare('SELECT outcome FROM usage').all()).toEqual([{ outcome: 'ok' }])
  database.close()
}
