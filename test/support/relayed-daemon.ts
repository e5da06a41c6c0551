import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNodeKey } from '../../daemon/relay/client/node-key.ts'
import { pinOf } from '../../daemon/relay/client/trust.ts'
import { claimBytes, nodeIdOf } from '../../daemon/relay/protocol.ts'
import type { RelayParts } from '../../daemon/relay/server/parts.ts'
import type { Relay } from '../../daemon/relay/server/relay.ts'
import { type Daemon, startDaemon, until } from './daemon.ts'
import { makeIdentity } from './identities.ts'
import { DOMAIN, ed25519Identity, startRelay, type TestRelay } from './relay.ts'

/** Relays of one domain that share names; each tells nodes of the others. */
export type Fleet = {
  readonly relays: readonly TestRelay[]
  /** Of the certificate that they all have. */
  readonly pin: string
  /** Names that were claimed, and who has them. */
  readonly names: Map<string, string>
  readonly stop: () => Promise<void>
}

/** @param count how many relays there are */
export async function startFleet(count: number, options: Parameters<typeof startRelay>[0] = {}): Promise<Fleet> {
  const own = makeIdentity([`relay.${DOMAIN}`])
  const names = new Map<string, string>()
  const keys = await Promise.all(Array.from({ length: count }, ed25519Identity))
  const relays: TestRelay[] = []
  const running = (): Relay[] => relays.map(({ relay }) => relay)
  for (const ownKey of keys) {
    const shared: Pick<RelayParts, 'identity' | 'names' | 'presence' | 'requests'> = {
      identity: () => own,
      names: {
        ownerOf: (host) => names.get(host) ?? null,
        namesOf: (id) => [...names].filter(([, owner]) => owner === id).map(([host]) => host),
      },
      presence: {
        announce: () => {},
        withdraw: () => {},
        routesOf: () => [],
        peers: () =>
          relays.flatMap(({ nodesPort }, at) =>
            keys[at] === undefined || keys[at] === ownKey
              ? []
              : [{ id: keys[at].id, address: `127.0.0.1:${nodesPort}` }],
          ),
      },
      requests: async ({ nodeId, spki, exporter }, request) => {
        if (request.type !== 'claim') return { result: 'unavailable' }
        const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
        const bytes = claimBytes(exporter, { name: request.name, nodeId })
        if (!verify(null, bytes, key, Buffer.from(request.signature, 'base64url'))) return { result: 'signature' }
        const host = request.name.includes('.') ? request.name : `${request.name}.${DOMAIN}`
        if ((names.get(host) ?? nodeId) !== nodeId) return { result: 'taken' }
        names.set(host, nodeId)
        for (const relay of running()) relay.tellNames(nodeId)
        return { result: 'ok' }
      },
    }
    relays.push(await startRelay({ ...options, ...shared, ownKey }))
  }
  return {
    relays,
    names,
    pin: pinOf(new X509Certificate(own.cert).publicKey.export({ type: 'spki', format: 'der' })),
    stop: async () => {
      await Promise.all(relays.map(({ stop }) => stop()))
    },
  }
}

export type RelayedDaemon = Daemon & {
  readonly nodeId: string
  /** Its name that is made of its key. */
  readonly host: string
  /** Of all names that it is given a certificate for at the start. */
  readonly certFile: string
}

/**
 * Starts the real daemon behind a fleet, with a certificate in files for its names unless `env` says otherwise, and waits
 * until it is reachable.
 * @param hosts names of the certificate beside that of its key
 */
export async function startRelayedDaemon(
  { relays, pin }: { readonly relays: readonly Pick<TestRelay, 'nodesPort'>[]; readonly pin: string },
  env: Readonly<Record<string, string>> = {},
  hosts: readonly string[] = [],
): Promise<RelayedDaemon> {
  const state = mkdtempSync(join(tmpdir(), 'gate-relayed-'))
  const nodeId = nodeIdOf(openNodeKey(state).spki)
  const host = `${nodeId}.${DOMAIN}`
  const { cert, key } = makeIdentity([host, ...hosts])
  const [certFile, keyFile] = [join(state, 'cert.pem'), join(state, 'key.pem')]
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key)
  const gate = await startDaemon(
    {
      GATE_RELAY__ENABLE: 'true',
      GATE_RELAY__ADDRESSES: JSON.stringify([`127.0.0.1:${relays[0]?.nodesPort}`]),
      GATE_RELAY__PINS: JSON.stringify([pin]),
      GATE_RELAY__DOMAIN: DOMAIN,
      GATE_TLS__HOST: '127.0.0.1',
      GATE_TLS__HTTPS_PORT: '0',
      GATE_TLS__FILES__CERT: certFile,
      GATE_TLS__FILES__KEY: keyFile,
      ...env,
    },
    state,
  )
  await until(() => gate.output().includes('names that point here through relays')).catch(async () => {
    await gate.kill()
    throw new Error(`gate-daemon is not reachable through its relay:\n${gate.output()}`)
  })
  return { ...gate, nodeId, host, certFile }
}
