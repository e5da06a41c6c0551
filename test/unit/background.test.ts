import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import type { LogFields } from '../../schemas/words/log.ts'
import { guarded, inBackground } from '../../system/background.ts'

const ROOT = join(import.meta.dirname, '../..')
const TIMERS: ReadonlySet<string> = new Set(['setTimeout', 'setInterval', 'setImmediate'])

/** Lets something go, or settles a promise: it cannot throw. */
const LETS_GO =
  /^(?:resolve|settle|done|drop|end|leave|gave|\(\) => [\w.?#]+\.(?:destroy|abort|closeAllConnections|resume|cut)\([^()]*(?:\(\))?\)|\(\) => (?:resolve|reject)\(.*\))$/
/** Methods whose value is nothing to wait for. */
const SYNCHRONOUS = /\.(?:push|set|add|delete|clear|unshift|splice|revoke|destroy|emit)$/

/** What may stand without a guard, by its file, and why none of it throws. */
const KNOWN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'daemon/assembly/access.ts': { tryAgain: 'catches all' },
  'daemon/assembly/money.ts': { 'rereading.now()': 'a read that fails is told to `failed`' },
  'daemon/assembly/peers.ts': { 'begin()': 'is never a rejection' },
  'daemon/assembly/rereading.ts': {
    '() => void now()': 'a read that fails is told to `failed`',
    'now()': 'a read that fails is told to `failed`',
  },
  'daemon/assembly/upkeep.ts': { run: '`once` catches all' },
  'daemon/audit/audit.ts': { write: 'catches all' },
  'daemon/audit/refusals.ts': { flush: 'the audit catches what it cannot write' },
  'daemon/backends/lease.ts': { 'outcome.then(resolve)': 'an outcome is never a rejection' },
  'daemon/check/checker.ts': { lose: 'lets a thread go' },
  'daemon/gateway/keep-alive.ts': {
    '() => this.#look()': 'writes what Gate itself has made, to a stream that takes it',
  },
  'daemon/gateway/objects/holds.ts': { 'attempt(': 'is no promise, and catches what the store refuses' },
  'daemon/gateway/objects/known.ts': { 'ifThere(': 'is no promise, and its caller catches' },
  'daemon/gateway/objects/upload.ts': { '() => {': 'destroys a stream' },
  'daemon/gateway/recordings.ts': {
    expire: 'forgets what is in memory',
    'recording.follow(client, 0)': 'is never a rejection',
  },
  'daemon/listener/half-close.ts': { '() => {': 'asks a socket of Node' },
  'daemon/listener/http.ts': { closeAll: 'destroys connections', closeIdle: 'closes connections' },
  'daemon/listener/http2-answer.ts': { '() => stream.close(': 'resets a stream' },
  'daemon/listener/http2-idle.ts': {
    step: 'closes a session',
    sayGoAway: 'nghttp2 takes it in every state',
    finish: 'closes a session',
  },
  'daemon/listener/http2-request.ts': { '() => {': 'destroys a stream' },
  'daemon/listener/http2.ts': { begin: 'its requests are guarded by themselves' },
  'daemon/listener/tls.ts': { 'handshakes.run(': 'is no promise' },
  'daemon/log/line-buffer.ts': { flush: 'it is the log: there is none to tell' },
  'daemon/meter/ledger.ts': { flush: '`write` catches all', '() => {': '`write` catches all' },
  'daemon/process/lifecycle.ts': {
    '() => abandon(': 'settles a promise',
    '() => cut(': 'catches all',
    'lifecycle.reload()': 'is never a rejection',
    'lifecycle.stop(signal)': 'is never a rejection',
  },
  'daemon/process/notify.ts': { '() => {': 'reads a histogram', 'notify({': 'is never a rejection' },
  'daemon/telemetry/outbox.ts': { flush: 'what it sends is caught' },
  'daemon/upstream/echo.ts': { '() => respond(': 'catches all', '() => {': 'a step of an answer that Gate makes' },
}

type Place = { readonly file: string; readonly line: number; readonly text: string }

/** What runs in a file with nothing above it that would catch what it throws. */
function unguardedIn(file: string, code: string): readonly Place[] {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true)
  const found: Place[] = []
  const guards = new Set<string>()
  const note = (node: ts.Node) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    found.push({ file, line: line + 1, text: node.getText().replace(/\s+/g, ' ') })
  }
  const look = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.initializer?.getText().startsWith('guarded(') === true)
      guards.add(node.name.getText())
    if (ts.isCallExpression(node) && TIMERS.has(node.expression.getText())) {
      const [run] = node.arguments
      const text = run?.getText() ?? ''
      const isSafe = text.startsWith('guarded(') || guards.has(text) || LETS_GO.test(text) || text.includes('.catch(')
      if (run !== undefined && !isSafe) note(run)
    }
    if (ts.isVoidExpression(node) && ts.isCallExpression(node.expression)) {
      const { expression } = node.expression
      const isSafe = node.expression.getText().includes('.catch(') || TIMERS.has(expression.getText())
      if (!isSafe && !SYNCHRONOUS.test(expression.getText())) note(node.expression)
    }
    ts.forEachChild(node, look)
  }
  look(source)
  return found
}

const isKnown = ({ file, text }: Place): boolean =>
  Object.keys(KNOWN[file] ?? {}).some((start) => text === start || (/\W$/.test(start) && text.startsWith(start)))

test('every timer of the daemon, and every promise that is not waited for, is guarded, or known not to throw', () => {
  // what relays add is looked at by its own tests
  const files = globSync('daemon/**/*.ts', { cwd: ROOT }).filter((file) => !file.startsWith('daemon/relay/'))
  expect(files.length).toBeGreaterThan(300)
  const found = files.flatMap((file) => unguardedIn(file, readFileSync(join(ROOT, file), 'utf8')))
  expect(found.filter((place) => !isKnown(place))).toEqual([])
  const stale = Object.entries(KNOWN).flatMap(([file, reasons]) =>
    Object.keys(reasons).filter(
      (start) => !found.some((place) => place.file === file && isKnown({ ...place }) && place.text.startsWith(start)),
    ),
  )
  expect(stale).toEqual([])
})

test.each([
  { code: 'setInterval(look, 10)', is: 1 },
  { code: 'setTimeout(() => void look(), 10)', is: 2 },
  { code: 'setImmediate(() => look())', is: 1 },
  { code: 'void look()', is: 1 },
  { code: 'listener(() => void look().then(again))', is: 1 },
  { code: "setInterval(guarded(log, 'lost', look), 10)", is: 0 },
  { code: "const lookNow = guarded(log, 'lost', look); setInterval(lookNow, 10)", is: 0 },
  { code: 'void look().catch(noted)', is: 0 },
  { code: 'setTimeout(() => socket.destroy(), 10)', is: 0 },
  { code: 'listener(() => void all.push(1))', is: 0 },
])('$code is unguarded: $is', ({ code, is }) => {
  expect(unguardedIn('planted.ts', code)).toHaveLength(is)
})

describe('what runs in the background', () => {
  const logged: unknown[] = []
  const log = (level: string, message: string, { error }: LogFields = {}) => void logged.push([level, message, error])

  test.each<{ title: string; run: () => unknown }>([
    {
      title: 'throws',
      run: () => {
        throw new Error('the disk is full')
      },
    },
    { title: 'rejects', run: () => Promise.reject(new Error('the disk is full')) },
    { title: 'rejects later', run: () => Promise.resolve().then(() => Promise.reject(new Error('the disk is full'))) },
  ])('and $title is logged, and throws nothing', async ({ run }) => {
    logged.length = 0
    inBackground(log, 'it was not done', run)
    guarded(log, 'it was not done', run)()
    await new Promise((resolve) => setImmediate(resolve))
    const entry = ['error', 'it was not done', 'the disk is full']
    expect(logged).toEqual([entry, entry])
  })

  test('gets what it is called with', () => {
    const given: unknown[] = []
    guarded(log, 'lost', (a: number, b: string) => given.push(a, b))(1, 'two')
    expect(given).toEqual([1, 'two'])
  })
})
