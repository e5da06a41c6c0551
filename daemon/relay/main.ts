import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { nodeCertificate } from '../../pki/node-certificate.ts'
import type { RelayStatus } from '../../schemas/relay-admin.ts'
import { packageVersion } from '../../system/version.ts'
import { installSignals } from '../process/lifecycle.ts'
import { startWatchdog } from '../process/notify.ts'
import { createRelayAdmin } from './admin/server.ts'
import { openCertificate } from './assembly/certificate.ts'
import { dnsFlaw, dnsProvider } from './assembly/dns.ts'
import { type Ground, layGround, type RelayOptions } from './assembly/ground.ts'
import { createListeners, createMetricsListener } from './assembly/listeners.ts'
import { answerNodes, toAnswer } from './assembly/node-requests.ts'
import { lookUpTxt, openConfiguredRegistry } from './assembly/registry.ts'
import { domainOf, limitsOf, rulesOf, settingsOf } from './assembly/settings.ts'
import { openSweeps } from './assembly/sweeps.ts'
import { openNodeKey } from './client/node-key.ts'
import { createChallengeRecords } from './dns/challenge-records.ts'
import { recheckHosts } from './registry/recheck-hosts.ts'
import type { Registry } from './registry/registry.ts'
import type { Presence } from './server/parts.ts'
import { createRelay } from './server/relay.ts'

/**
 * Runs a relay until it is told to stop: the order of start and stop, nothing else.
 * @returns the exit code: 0 drained and stopped, 1 cut off or failed
 * @throws Error that says what is wrong, when it cannot start
 */
export async function runRelay(options: RelayOptions & { readonly adminSocket: string | undefined }): Promise<number> {
  const ground = layGround(options)
  const { config, lifecycle, log, monotonic, activation, steady, stateDirectory } = ground
  const domain = domainOf(config())
  const { key, spki } = openNodeKey(stateDirectory)
  const ownKey = { key, cert: await nodeCertificate(key, `relay.${domain}`) }
  const registry = openConfiguredRegistry(ground)
  const certificate = openCertificate(ground, ownKey)
  const providerOf = dnsProvider(ground.now)
  const provider = () => providerOf(config())
  const records = createChallengeRecords({ provider, registry, domain, now: steady, monotonic, log })
  let [settings, limits] = [settingsOf(config()), limitsOf(config())]
  const relay = createRelay({
    names: registry,
    presence: presenceOf(registry, () => relay.id),
    requests: answerNodes({
      registry,
      records,
      wantsInvite: () => rulesOf(config()).wantsInvite,
      now: monotonic,
    }),
    settings: () => settings,
    limits: () => limits,
    identity: certificate.identity,
    challenge: certificate.challenge,
    ownKey,
    now: monotonic,
    random: randomBytes,
    log,
  })
  registry.onNames(relay.tellNames)
  const listeners = createListeners(ground, relay)
  const metrics = createMetricsListener(ground, () => relay.metrics() + registryMetrics(registry))
  let listening: readonly string[] = []
  const status = (): RelayStatus => ({
    ...facts(ground, registry, relay.status()),
    id: relay.id,
    pin: createHash('sha256').update(spki).digest('base64'),
    certificate: certificate.isOwn() ? 'own' : 'trusted',
    listening,
  })
  const claim = async (wanted: Parameters<Registry['claim']>[0]) => toAnswer(await registry.claim(wanted))
  const admin = createRelayAdmin({ registry, status, tunnels: relay.status, claim, now: steady }, log)
  const recheck = recheckHosts({ registry, domain, lookUpTxt, now: monotonic, random: Math.random, log })
  const sweeps = openSweeps({ records: records.sweep, names: registry.sweep, hosts: recheck }, log)

  lifecycle.onReload('configuration', () => {
    ground.reload()
    settings = settingsOf(config())
    limits = limitsOf(config())
    void certificate.check()
  })
  lifecycle.onDrain('nodes', relay.release)
  lifecycle.onDrain('registry', registry.leave)
  lifecycle.onDrain('visitors', () => {
    listeners.drain()
    return relay.drain()
  })
  lifecycle.onStop('sweeps', sweeps.stop)
  lifecycle.onStop('relay', relay.close)
  lifecycle.onStop('connections', listeners.close)
  lifecycle.onStop('admin socket', admin.close)
  lifecycle.onStop('metrics', metrics.close)
  lifecycle.onStop('certificate', async () => certificate.close())
  lifecycle.onStop('registry', registry.close)
  lifecycle.onStop('state directory', ground.stop)
  lifecycle.onStop('watchdog', startWatchdog(ground.env, ground.notify, log))
  installSignals(process, lifecycle, monotonic)

  try {
    const [fd] = activation.admin
    await admin.listen(fd === undefined ? { path: options.adminSocket ?? join(stateDirectory, 'admin.sock') } : { fd })
    await Promise.all([registry.ready, certificate.ready])
    listening = await listeners.listen()
    await registry.join({ id: relay.id, address: publicAddress(ground, listening.at(-1) ?? '') })
    await noteMetrics(ground, metrics)
    certificate.start()
    const flaw = dnsFlaw(config())
    if (flaw !== undefined) log('warn', 'no records of challenges are written', { reason: flaw })
    sweeps.start()
    const { pin } = status()
    log('info', 'relay', {
      domain,
      url: listening.join(' '),
      hash: pin,
      source: certificate.isOwn() ? 'own' : 'trusted',
    })
    await lifecycle.ready()
    ground.tell(
      `relay.${domain} listens on ${listening.join(' and ')}; ${certificate.isOwn() ? `nodes pin its key: relay.pins = ["${pin}"]` : 'its certificate is trusted'}\n`,
    )
  } catch (error) {
    await lifecycle.stop('could not start', true)
    throw error
  }
  return lifecycle.stopped
}

/** A port for metrics that is taken keeps no visitor out. */
async function noteMetrics({ log }: Ground, metrics: ReturnType<typeof createMetricsListener>): Promise<void> {
  try {
    await metrics.listen()
  } catch (error) {
    log('error', 'no metrics are served', { error: error instanceof Error ? error.message : String(error) })
  }
}

/** Where the registry says that nodes are, as the relay asks for it: without itself. */
function presenceOf(registry: Registry, ownId: () => string): Presence {
  return {
    announce: (nodeId, tunnel, proof) => void registry.announce(nodeId, tunnel, proof),
    withdraw: (nodeId, tunnel) => void registry.withdraw(nodeId, tunnel),
    routesOf: (nodeId) => registry.routesOf(nodeId).filter(({ relay }) => relay !== ownId()),
    peers: () => registry.relays().filter(({ id }) => id !== ownId()),
  }
}

/** Where other relays reach this one. @param nodes the port for nodes, as it is listened on */
function publicAddress({ config }: Ground, nodes: string): string {
  const { public_address } = config()
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(nodes) ?? []
  return public_address ?? (/^(?:\[::\]|0\.0\.0\.0)$/.test(host) ? `${hostname()}:${port}` : nodes)
}

function facts(
  { instance, config }: Ground,
  registry: Registry,
  tunnels: readonly { nodeId: string; visitors: number }[],
) {
  return {
    instance,
    version: packageVersion(),
    domain: domainOf(config()),
    registry: { kind: config().registry.kind, state: registry.state() },
    tunnels: tunnels.length,
    nodes: new Set(tunnels.map(({ nodeId }) => nodeId)).size,
    visitors: tunnels.reduce((sum, { visitors }) => sum + visitors, 0),
    names: registry.names().filter(({ releasedAtMs }) => releasedAtMs === undefined).length,
    relays: registry.relays(),
  }
}

const registryMetrics = (registry: Registry): string =>
  `# HELP gate_relay_registry_up Whether names can be written.
# TYPE gate_relay_registry_up gauge
gate_relay_registry_up ${registry.state() === 'live' ? 1 : 0}
# HELP gate_relay_names Names that are claimed.
# TYPE gate_relay_names gauge
gate_relay_names ${registry.names().filter(({ releasedAtMs }) => releasedAtMs === undefined).length}
`
