import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { claimBytes } from '../../daemon/relay/protocol.ts'
import type { KeyAndCertificate } from '../../daemon/relay/server/parts.ts'
import type { RelayAnswers, RelayRoute } from '../../schemas/relay-admin.ts'
import { COMPILE_CACHE, until } from './daemon.ts'
import { makeIdentity } from './identities.ts'
import { inNetns } from './netns.ts'
import { DOMAIN, ed25519Identity, portOf, startNode, type TakeVisitor, type TestNode } from './relay.ts'

const root = join(import.meta.dirname, '../..')

/** A gate-relay process of its own, on free ports of the loopback. */
export type RelayProgram = {
  readonly port: number
  readonly nodesPort: number
  readonly stateDirectory: string
  readonly adminSocket: string
  readonly pid: number
  readonly output: () => string
  /** Asks its admin socket. */
  readonly ask: <R extends RelayRoute>(route: R, body?: object) => Promise<RelayAnswers[R]>
  readonly reload: () => void
  /** SIGTERM. @returns the exit code */
  readonly stop: () => Promise<number | null>
  /** kill -9; the state directory stays. */
  readonly kill: () => Promise<void>
  readonly remove: () => void
}

/**
 * @param env with XDG_STATE_HOME the relay finds its state directory by itself, which `stateDirectory` has to name
 * @param netns network namespace that it runs in
 * @param resolver name server that it asks there, on port 53
 * @param descriptors how many files and connections it may have open
 * @throws Error with its output, where it does not start
 */
export async function startRelayProgram(
  env: Readonly<Record<string, string>> = {},
  stateDirectory = mkdtempSync(join(tmpdir(), 'gate-relay-')),
  netns?: string,
  resolver?: string,
  descriptors?: number,
): Promise<RelayProgram> {
  const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath]
  const plain = netns === undefined ? ([process.execPath, []] as const) : inNetns(netns, process.execPath, resolver)
  const [program, before] = descriptors === undefined ? plain : (['sh', limited] as const)
  const directory = env['XDG_STATE_HOME'] === undefined ? ['--state-directory', stateDirectory] : []
  const child = spawn(program, [...before, 'bin/gate-relay.ts', ...directory], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      RELAY__DOMAIN_SUFFIX: DOMAIN,
      RELAY__HTTPS_PORT: '0',
      RELAY__P2P_PORT: '0',
      RELAY__BIND_ADDRESS: '127.0.0.1',
      RELAY__LIMITS__REGISTRATIONS_PER_MINUTE: '1000',
      ...env,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part))
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const listening = /listens on \S+:(\d+) and \S+:(\d+);/
  await until(() => listening.test(output) || child.exitCode !== null, 20_000)
  const [, port, nodesPort] = listening.exec(output) ?? []
  if (port === undefined) throw new Error(`gate-relay did not start (exit ${child.exitCode}):\n${output}`)
  const adminSocket = join(stateDirectory, 'admin.sock')
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    return await exited
  }
  return {
    port: Number(port),
    nodesPort: Number(nodesPort),
    stateDirectory,
    adminSocket,
    pid: child.pid ?? 0,
    output: () => output,
    ask: (route, body) => askAdmin(adminSocket, route, body),
    reload: () => child.kill('SIGHUP'),
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
    remove: () => rmSync(stateDirectory, { recursive: true, force: true }),
  }
}

async function askAdmin<R extends RelayRoute>(socketPath: string, route: R, body?: object): Promise<RelayAnswers[R]> {
  const [method, path] = route.split(' ')
  const sent = request({ socketPath, method, path, agent: false })
  sent.end(body === undefined ? '' : JSON.stringify(body))
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const part of response) text += part
  return JSON.parse(text)
}

/** A web site, and visitors' streams that are passed on to it. */
export type Site = { readonly server: Server; readonly take: TakeVisitor; readonly stop: () => void }

export async function startSite(names: readonly string[], answer: string): Promise<Site> {
  const { key, cert } = makeIdentity([...names])
  const server = createServer({ key, cert }, (_, response) => response.end(answer))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    take(stream) {
      const socket = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
      stream.respond({ ':status': 200 })
      stream.pipe(socket).pipe(stream)
      socket.on('error', () => stream.close(8))
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A node that answers visitors with a text. */
export async function startAnsweringNode(
  relay: { readonly port: number },
  answer: string,
  given?: KeyAndCertificate & { readonly id: string },
): Promise<TestNode & { readonly identity: KeyAndCertificate & { readonly id: string } }> {
  const identity = given ?? (await ed25519Identity())
  const site = await startSite([`${identity.id}.${DOMAIN}`], answer)
  const node = await startNode({ port: relay.port, identity, take: site.take })
  void node.closed.then(site.stop)
  return { ...node, identity }
}

/** @returns what the relay answers */
export const claim = (node: TestNode, name: string, more: { readonly invite?: string } = {}) =>
  node.ask({ type: 'claim', name, signature: node.sign(claimBytes(node.exporter, { name, nodeId: node.id })), ...more })

/** What curl gets from a host at a relay; rejects where it gets nothing. */
export async function curl(host: string, { port }: { readonly port: number }): Promise<string> {
  const options = ['-sk', '--max-time', '5', '--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`]
  return (await promisify(execFile)('curl', options)).stdout
}
