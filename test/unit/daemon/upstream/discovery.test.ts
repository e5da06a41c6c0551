import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { discoverEngines } from '../../../../daemon/upstream/discovery.ts'
import { isTrusted } from '../../../../daemon/upstream/foreign-ports.ts'

test.each([
  { who: 'root', uid: 0, trusted: true },
  { who: 'a service of the host', uid: 998, trusted: true },
  { who: 'a service with DynamicUser=', uid: 61_184, trusted: true },
  { who: 'our own account', uid: 1000, trusted: true },
  { who: 'another login', uid: 1001, trusted: false },
  { who: "a backend's account", uid: 60_001, trusted: false },
  { who: 'nobody, or anyone else seen from a user namespace', uid: 65_534, trusted: false },
])('what $who listens on is used: $trusted', ({ uid, trusted }) => {
  expect(isTrusted(uid, 1000)).toBe(trusted)
})

/** Answers as Ollama does, as another user: that one may not be able to read where node is, so it becomes it late. */
const ENGINE = `process.setuid(Number(process.argv[1]))
  const server = require('node:http').createServer((_, answer) => answer.end('{"data":[{"id":"llama"}]}'))
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
const listingOf = () => ({ version: null, modelsPath: '/models', readModels: () => ['llama'] })

test.skipIf(process.getuid?.() !== 0).each([
  { who: 'root', uid: 0, names: ['ollama'], foreign: [] },
  { who: 'another login', uid: 4711, names: [], foreign: ['ollama'] },
])('an engine on the port of Ollama that $who runs (needs root): found are $names', async ({ uid, names, foreign }) => {
  const child = spawn(process.execPath, ['-e', ENGINE, String(uid)])
  const [port] = await once(child.stdout, 'data')
  const engines = [{ name: 'ollama', provider: 'ollama', port: Number(port) } as const]
  const skip = { names: new Set<string>(), ports: new Set<number>() }
  const seen = await discoverEngines(skip, listingOf, AbortSignal.timeout(10_000), engines)
  child.kill()
  await once(child, 'close')
  expect({ names: Object.keys(seen.found), foreign: [...seen.foreign] }).toEqual({ names, foreign })
})
