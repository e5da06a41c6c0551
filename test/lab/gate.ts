import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject, vi } from 'vitest'
import { bootLab, type Lab } from './lab.ts'
import type { LoadResult } from './load.ts'

/** A lab with Gate installed by the steps of docs/install-systemd.md; nothing of it runs yet. */
export type GateLab = Lab & {
  /** Sends one request with the token. @returns status and body */
  fetch(path: string, body?: unknown): Promise<{ readonly status: number; readonly body: string }>
  /** One property of the daemon's unit, as `systemctl show` prints it. */
  property(name: string): Promise<string>
  /** Keeps the gateway busy with new and kept connections while `work` runs. */
  underLoad(work: () => Promise<void>): Promise<LoadResult>
  /** Writes the declared layer. It takes effect at the next start or reload. */
  declare(config: unknown): void
}

const TOKEN = 'lab-token-0123456789abcdef'
export const NODE = '/usr/lib/gate/node'
export const GATEWAY = 'http://127.0.0.1:3000'

/** Boots a lab with Gate in it, as `setup.ts` laid it out. */
export async function bootGate(name: string): Promise<GateLab> {
  const lab = await bootLab(name, [inject('staged')])
  await lab.run(['systemd-sysusers'])
  await lab.run(['systemd-tmpfiles', '--create', 'gate.conf'])
  await lab.run(['systemctl', 'daemon-reload'])
  return withGate(lab)
}

/** Puts the programs of the tests into a lab where Gate is installed, and the token that they use. */
export function withGate(lab: Lab): GateLab {
  for (const script of ['load.ts', 'slow-upstream.ts'])
    cpSync(join(import.meta.dirname, script), lab.path(`/opt/${script}`))
  writeFileSync(lab.path('/etc/gate/gate.env'), `GATE_AUTH__TOKEN=${TOKEN}\n`)
  return {
    ...lab,
    async fetch(path, body) {
      const post = body === undefined ? [] : ['--json', JSON.stringify(body)]
      const curl = ['curl', '-sS', '--max-time', '20', '-H', `Authorization: Bearer ${TOKEN}`, ...post]
      const text = await lab.run([...curl, '-w', '\n%{http_code}', `${GATEWAY}${path}`])
      const cut = text.lastIndexOf('\n')
      return { status: Number(text.slice(cut + 1)), body: text.slice(0, cut) }
    },
    async property(name) {
      return (await lab.run(['systemctl', 'show', '--value', `--property=${name}`, 'gate-daemon.service'])).trim()
    },
    async underLoad(work) {
      const load = lab.start([NODE, '/opt/load.ts', `${GATEWAY}/v1/models`, TOKEN])
      const ended = output(load)
      await work().finally(() => load.stdin?.end())
      return JSON.parse(await ended) as LoadResult
    },
    declare: (config) => writeFileSync(lab.path('/etc/gate/declared.json'), JSON.stringify(config)),
  }
}

/** A streamed answer of as many tokens, one every tenth of a second. It has begun: the first token is there. */
export async function startStream(gate: GateLab, tokens: number) {
  const body = JSON.stringify({
    model: 'slow',
    stream: true,
    max_tokens: tokens,
    messages: [{ role: 'user', content: 'x' }],
  })
  const curl = [
    'curl',
    '-sS',
    '--no-buffer',
    '--max-time',
    '60',
    '-H',
    `Authorization: Bearer ${TOKEN}`,
    '--json',
    body,
  ]
  const child = gate.start([...curl, `${GATEWAY}/v1/chat/completions`])
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const ended = new Promise<{ code: number | null; text: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, text }))
  })
  await vi.waitUntil(() => text.includes('"content"'), { timeout: 30_000 })
  return { ended, tokens: () => text.split('"content"').length - 1 }
}

function output(child: ReturnType<Lab['start']>): Promise<string> {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  return new Promise((resolve) => child.on('close', () => resolve(text)))
}
