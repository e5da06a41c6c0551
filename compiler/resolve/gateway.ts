import type { Spec } from '../../schemas/spec/spec.ts'
import { isLoopback } from '../../schemas/words/address.ts'
import type { Finding } from '../diagnostic.ts'
import { checkAlerts } from './alerts.ts'
import { checkRelay, checkRelayedNames } from './relay.ts'
import { checkTls, hasCertificates } from './tls.ts'

/** Who may reach the gateway, and what for, makes sense as a whole. */
export function checkGateway(spec: Spec): Finding[] {
  return [
    ...checkAccess(spec),
    ...checkTls(spec),
    ...checkNames(spec),
    ...checkAlerts(spec),
    ...checkRelay(spec),
    ...checkRelayedNames(spec),
    ...checkSandbox(spec),
  ]
}

function checkAccess({ gate, proxy }: Spec): Finding[] {
  const modes = [gate.auth.mode].flat()
  const open = !isLoopback(gate.server.host)
  const findings: Finding[] = []
  if (modes.includes('none') && open) {
    const message = `without authentication, any client that can reach ${gate.server.host} may use the gateway`
    findings.push({
      code: 'OPEN_WITHOUT_AUTH',
      path: ['gate', 'auth', 'mode'],
      message,
      hint: 'listen on 127.0.0.1, or use "token"',
    })
  }
  if (modes.includes('none') && !open && proxy.engine !== 'none') {
    findings.push({
      code: 'OPEN_WITHOUT_AUTH',
      path: ['gate', 'auth', 'mode'],
      message: 'without authentication, the gateway serves this host alone, and a proxy passes on what others send',
      hint: 'use "token", or leave [proxy] out',
    })
  }
  if (modes.includes('oidc') && Object.keys(gate.auth.oidc).length === 0) {
    const message = 'mode oidc has no identity provider here'
    findings.push({
      code: 'MISSING_PROVIDER',
      severity: 'warning',
      path: ['gate', 'auth', 'mode'],
      message,
      hint: 'add [gate.auth.oidc.<name>], or one at run time',
    })
  }
  const encrypted = hasCertificates(gate.tls)
  if (open && !encrypted && proxy.engine === 'none') {
    const message = `keys cross the network unencrypted on ${gate.server.host}`
    const hint = 'set [gate.tls], or listen on 127.0.0.1 behind [proxy]'
    findings.push({ code: 'PUBLIC_WITHOUT_TLS', severity: 'warning', path: ['gate', 'server', 'host'], message, hint })
  }
  // a proxy without certificates answers on port 80 of every interface
  if (!encrypted && proxy.engine !== 'none' && gate.domain !== undefined) {
    const message = `keys cross the network unencrypted: the proxy serves ${gate.domain} over HTTP`
    const hint = 'set [gate.tls]'
    findings.push({ code: 'PUBLIC_WITHOUT_TLS', severity: 'warning', path: ['proxy', 'engine'], message, hint })
  }
  return findings
}

function checkNames({ gate, proxy, dns }: Spec): Finding[] {
  const findings: Finding[] = []
  if (dns.engine !== 'none' && dns.listen === undefined)
    findings.push({
      code: 'MISSING_LISTEN',
      path: ['dns'],
      part: 'key',
      message: 'the name server needs an interface or address',
      hint: 'set dns.listen',
    })
  for (const [section, used] of [
    ['dns', dns.engine !== 'none'],
    ['proxy', proxy.engine !== 'none'],
  ] as const) {
    if (!used || gate.domain !== undefined) continue
    findings.push({
      code: 'MISSING_DOMAIN',
      path: [section],
      part: 'key',
      message: `[${section}] serves the names of gate.domain, which is not set`,
    })
  }
  return findings
}

function checkSandbox({ sandbox }: Spec): Finding[] {
  if (!sandbox.enable || sandbox.runtime !== 'none' || sandbox.allow_unisolated) return []
  const message = 'code from a model would run on this host without isolation'
  const hint = 'use runtime = "podman", or add allow_unisolated = true if you mean it'
  return [{ code: 'UNISOLATED_SANDBOX', path: ['sandbox', 'runtime'], message, hint }]
}
