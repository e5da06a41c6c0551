import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { hasPebble, startPebble } from '../support/pebble.ts'
import { freePort } from '../support/programs.ts'
import { DOMAIN } from '../support/relay.ts'
import { startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'

/** Who signed what relay.<domain> shows. */
async function issuerAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: `relay.${DOMAIN}`, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { issuer } = socket.getPeerCertificate()
  socket.destroy()
  return String(issuer.CN)
}

test.skipIf(!hasPebble)('a relay gets its certificate by tls-alpn-01 on its own port (needs pebble)', async () => {
  const port = await freePort()
  const pebble = await startPebble({ tlsPort: port })
  const relay = await startRelayProgram({
    RELAY__HTTPS_PORT: String(port),
    RELAY__TLS__ACME__ENABLED: 'true',
    RELAY__TLS__ACME__DIRECTORY: pebble.directory,
    RELAY__TLS__ACME__CA_FILE: pebble.caFile,
  })
  try {
    // nodes that pin its key may join before
    const node = await startAnsweringNode(relay, 'home')
    await until(async () => (await relay.ask('GET /status')).certificate === 'trusted', 20_000)
    expect(await issuerAt(port)).toContain('Pebble')
    node.stop()
    const { stateDirectory } = relay
    expect(readFileSync(`${stateDirectory}/tls/certificates/relay.${DOMAIN}/cert.pem`, 'utf8')).toContain(
      'BEGIN CERTIFICATE',
    )
    await relay.stop()
  } finally {
    await relay.kill()
    relay.remove()
    await pebble.remove()
  }
})

test('without one it signs its own with the key that nodes pin, and serves metrics', async () => {
  const metricsPort = await freePort()
  const relay = await startRelayProgram({ RELAY__METRICS_PORT: String(metricsPort) })
  try {
    expect(await issuerAt(relay.port)).toBe(`relay.${DOMAIN}`)
    const get = async (path: string) => await (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).text()
    expect(await get('/metrics')).toMatch(/^gate_relay_registry_up 1$/m)
    expect(await get('/metrics')).toMatch(/^gate_relay_tunnels 0$/m)
    expect(await get('/ready')).toBe('ready\n')
    expect(await get('/else')).toContain('/metrics')
  } finally {
    await relay.stop()
    relay.remove()
  }
})
