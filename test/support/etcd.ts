import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inNetns } from './netns.ts'
import { end, says } from './pebble.ts'
import { freePort, hasProgram, run } from './programs.ts'

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

/** Files of PEM: a CA, and what it has signed for the server and for a client. */
export type EtcdTls = ReturnType<typeof etcdAuthority>

/** @param folder where the files go */
export function etcdAuthority(folder: string) {
  mkdirSync(folder, { recursive: true })
  const file = (name: string) => join(folder, name)
  const made = (name: string, subject: string, more: readonly string[]) => {
    const options = ['-nodes', '-days', '2', '-subj', subject, ...more]
    const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
    run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...options, ...files])
    return { cert: file(`${name}.pem`), key: file(`${name}.key`) }
  }
  const ca = made('authority', '/CN=authority', [])
  const signed = ['-CA', ca.cert, '-CAkey', ca.key]
  return {
    ca: ca.cert,
    server: made('server', '/CN=server', [...signed, '-addext', 'subjectAltName=IP:127.0.0.1']),
    client: made('client', '/O=relays', signed),
    named: made('named', '/CN=relay', signed),
  }
}

type EtcdOptions = {
  /** Network namespace that it runs in. */
  readonly netns?: string
  /** Where clients reach it. */
  readonly host?: string
  /** Then clients need a certificate of its CA. */
  readonly tls?: EtcdTls
}

export async function startEtcd({ netns, host = '127.0.0.1', tls }: EtcdOptions = {}): Promise<Etcd> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-etcd-'))
  const scheme = tls === undefined ? 'http' : 'https'
  const [client, peer] = [`${scheme}://${host}:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
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
      ...(tls !== undefined && {
        'cert-file': tls.server.cert,
        'key-file': tls.server.key,
        'trusted-ca-file': tls.ca,
        'client-cert-auth': 'true',
      }),
    }
    const [program, before] = netns === undefined ? ['etcd', []] : inNetns(netns, 'etcd')
    child = spawn(program, [...before, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)])
    await says(child, /serving client traffic (?:in)?securely/)
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
