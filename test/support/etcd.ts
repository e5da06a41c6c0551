import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inNetns } from './netns.ts'
import { end, says } from './pebble.ts'
import { freePort, hasProgram } from './programs.ts'

/** Whether Debian's package etcd-server is there. */
export const hasEtcd = hasProgram('etcd')

/** One etcd on free ports of the loopback. */
export type Etcd = {
  readonly endpoint: string
  /** As a power cut would. */
  readonly kill: () => Promise<void>
  /** Again, with what it had. */
  readonly start: () => Promise<void>
  /** Ends it for good. */
  readonly remove: () => Promise<void>
}

/** @param netns network namespace that it runs in @param host where clients reach it */
export async function startEtcd(netns?: string, host = '127.0.0.1'): Promise<Etcd> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-etcd-'))
  const [client, peer] = [`http://${host}:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const options = {
      'data-dir': join(folder, 'data'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `default=${peer}`,
      logger: 'zap',
    }
    const [program, before] = netns === undefined ? ['etcd', []] : inNetns(netns, 'etcd')
    child = spawn(program, [...before, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])])
    await says(child, /serving client traffic insecurely/)
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL')
    if (child !== undefined) await end(child)
  }

  await start()
  return {
    endpoint: client,
    kill,
    start,
    remove: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
