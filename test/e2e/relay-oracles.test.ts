import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { freePort, hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const STREAM_MODULE = [
  '/usr/lib/nginx/modules/ngx_stream_module.so',
  '/usr/lib64/nginx/modules/ngx_stream_module.so',
].find((file) => existsSync(file))
/** Sound hellos in which they find no name, or another: they do not join records, and keep a final dot. */
const MOST_MISSED = 0.15

type Case = {
  readonly name: string
  readonly wire: string
  readonly expect: { readonly kind: string; readonly name?: string }
}
const cases = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../unit/wire/client-hellos.json'), 'utf8')) as Case[]
).filter(({ expect: { kind } }) => kind === 'name')

/** Says bytes and nothing more. @returns what comes back until the end */
function say(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.end(bytes)
  })
}

const plain = (name: string) => name.trim().toLowerCase().replace(/\.$/, '')

/** Names that a router of another make finds, beside those that the relay goes by. */
function compare(found: readonly string[]): void {
  const others = cases.flatMap(({ name, expect: { name: expected } }, i) =>
    found[i] === '' || found[i] === '-' || found[i] === expected ? [] : [`${name}: ${found[i]} and not ${expected}`],
  )
  const missed = cases.filter((_, i) => found[i] === '' || found[i] === '-').length
  expect(others.length + missed).toBeLessThanOrEqual(cases.length * MOST_MISSED)
  expect(others.filter((other) => !other.includes('record'))).toEqual([])
}

describe.runIf(hasProgram('nginx') && STREAM_MODULE !== undefined)('nginx ssl_preread', () => {
  const folder = temporaryDirectory()
  let child: ChildProcess
  let port: number
  beforeAll(async () => {
    port = await freePort()
    writeFileSync(
      folder.file('nginx.conf'),
      `load_module ${STREAM_MODULE}; daemon off; worker_processes 1; pid ${folder.path}/pid; ${process.getuid?.() === 0 ? 'user root;' : ''}
events {} stream { server { listen 127.0.0.1:${port}; ssl_preread on; preread_timeout 2s; return "$ssl_preread_server_name\\n"; } }`,
    )
    child = spawn('nginx', ['-p', folder.path, '-e', 'stderr', '-c', 'nginx.conf'], { stdio: 'ignore' })
    await until(() => say(port, Buffer.from(cases[0]?.wire ?? '', 'base64')).then((text) => text.endsWith('\n')))
  })
  afterAll(() => {
    child?.kill()
    folder.remove()
  })

  test('finds the same names', async () => {
    const found = await Promise.all(cases.map(({ wire }) => say(port, Buffer.from(wire, 'base64'))))
    compare(found.map(plain))
  })
})

describe.runIf(hasProgram('haproxy'))('haproxy req.ssl_sni', () => {
  const folder = temporaryDirectory()
  let child: ChildProcess
  let port: number
  let output = ''
  beforeAll(async () => {
    port = await freePort()
    writeFileSync(
      folder.file('haproxy.cfg'),
      `global
  log stdout format raw local0
defaults
  mode tcp
  timeout client 2s
  timeout server 2s
  timeout connect 1s
frontend hellos
  bind 127.0.0.1:${port}
  log global
  tcp-request inspect-delay 1s
  tcp-request content capture req.ssl_sni len 255
  tcp-request content reject if { req.ssl_hello_type 1 }
  tcp-request content reject if WAIT_END
  log-format "sni %cp %[capture.req.hdr(0)]"
`,
    )
    child = spawn('haproxy', ['-f', folder.file('haproxy.cfg'), '-db'], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    await until(() => say(port, Buffer.from('x')).then(() => /^sni /m.test(output)))
  })
  afterAll(() => {
    child?.kill()
    folder.remove()
  })

  test('finds the same names', async () => {
    const found: string[] = []
    for (const { wire } of cases) {
      output = ''
      await say(port, Buffer.from(wire, 'base64'))
      await until(() => /^sni .*\n/m.test(output))
      found.push(plain(/^sni \d+ (.*)$/m.exec(output)?.[1] ?? ''))
    }
    compare(found)
  })
})
