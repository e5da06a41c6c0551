import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { throwAwayCertificate } from './certificate.ts'
import { until } from './daemon.ts'
import { freePort, hasProgram } from './programs.ts'

/** Whether Debian's package pebble is there. */
export const hasPebble = hasProgram('pebble') && hasProgram('pebble-challtestsrv') && hasProgram('openssl')

/** A CA that speaks ACME: Let's Encrypt's test server, which rejects 5 % of all nonces. */
export type Pebble = {
  readonly directory: string
  /** File of the CA that its HTTPS certificate is trusted by. */
  readonly caFile: string
  /** The CA that issues, PEM. */
  readonly issuer: () => Promise<string>
  /** Values of TXT records at its own name server. */
  readonly txt: {
    readonly set: (name: string, value: string) => Promise<void>
    readonly clear: (name: string) => Promise<void>
  }
  /** Its own name server, `host:port`. */
  readonly dns: string
  /** Ends it; `start` begins again, with no memory of accounts. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  /** Ends it for good. */
  readonly remove: () => Promise<void>
}

/** A name that it refuses to certify. */
export const BLOCKED_NAME = 'blocked.example.org'

export type PebbleOptions = {
  /** Where it looks for answers of challenges, on the loopback. */
  readonly tlsPort?: number
  readonly httpPort?: number
  /** `host:port` of its name server; its own, where every name is 127.0.0.1, when absent. */
  readonly dns?: string
  /** Accounts need this binding. */
  readonly eab?: { readonly kid: string; readonly hmac: string }
}

/** Starts Pebble on free ports of the loopback. */
export async function startPebble(options: PebbleOptions = {}): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-pebble-'))
  const { cert, key } = throwAwayCertificate(folder, ['localhost'])
  const [port, management, dnsPort, txtPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: cert,
      privateKey: key,
      httpPort: options.httpPort ?? 1,
      tlsPort: options.tlsPort ?? 1,
      ocspResponderURL: '',
      externalAccountBindingRequired: options.eab !== undefined,
      externalAccountMACKeys: options.eab === undefined ? {} : { [options.eab.kid]: options.eab.hmac },
      domainBlocklist: [BLOCKED_NAME],
      certificateValidityPeriod: 90 * 86_400,
    },
  }
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify(config))
  const dnsArgs = ['-dns01', `127.0.0.1:${dnsPort}`, '-defaultIPv6', '', '-management', `127.0.0.1:${txtPort}`]
  const noServers = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const dns = options.dns === undefined ? spawn('pebble-challtestsrv', [...dnsArgs, ...noServers]) : undefined
  const args = ['-config', join(folder, 'pebble.json'), '-dnsserver', options.dns ?? `127.0.0.1:${dnsPort}`]
  let pebble: ChildProcess | undefined

  async function start(): Promise<void> {
    pebble = spawn('pebble', args, { env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0' } })
    await says(pebble, /ACME directory available/) // which it says before it listens
    await listens(port)
  }
  async function stop(): Promise<void> {
    if (pebble !== undefined) await end(pebble)
  }

  await start()
  if (dns !== undefined) await listens(txtPort)
  return {
    directory: `https://localhost:${port}/dir`,
    caFile: cert,
    issuer: () => fetched(`https://localhost:${management}/roots/0`, readFileSync(cert, 'utf8')),
    txt: {
      set: (name, value) => post(`http://127.0.0.1:${txtPort}/set-txt`, { host: `${name}.`, value }),
      clear: (name) => post(`http://127.0.0.1:${txtPort}/clear-txt`, { host: `${name}.` }),
    },
    dns: options.dns ?? `127.0.0.1:${dnsPort}`,
    start,
    stop,
    async remove() {
      await stop()
      if (dns !== undefined) await end(dns)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when a program has written something. @throws Error with its output, when it ends first */
export function says(child: ChildProcess, words: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (part: Buffer) => {
      output += part.toString()
      if (words.test(output)) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended (${code}):\n${output}`)))
  })
}

/** Resolves when a port of the loopback takes connections. @throws Error after ten seconds */
async function listens(port: number): Promise<void> {
  await until(async () => {
    const socket = connect(port, '127.0.0.1')
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    return isThere
  })
}

/** SIGTERM, and its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

async function post(url: string, content: object): Promise<void> {
  await fetch(url, { method: 'POST', body: JSON.stringify(content) })
}

function fetched(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.once('end', () => resolve(text))
    }).once('error', reject)
  })
}
