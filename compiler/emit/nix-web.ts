import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'
import { type Attribute, boolean, option, str } from '../syntax/nix.ts'
import type { UnitFile } from '../syntax/unit.ts'
import { dnsUnit, emitDnsmasq } from './dnsmasq.ts'
import { emitNginx } from './nginx.ts'
import type { OutputFile } from './output.ts'

/** What the proxy or the name server needs: files below /etc, units, and options of NixOS that name the files. */
export type NixWeb = {
  readonly files: readonly OutputFile[]
  readonly units: Readonly<Record<string, UnitFile>>
  readonly options: readonly Attribute[]
  readonly findings: readonly Finding[]
}

/**
 * The proxy's own file, included by the service of NixOS. Not rebuilt of services.nginx.virtualHosts: the file is what
 * nginx itself has checked, and is the same on every host.
 */
export function nixProxy(deployment: Deployment): NixWeb {
  if (deployment.proxy.engine === 'caddy') {
    const message = 'this module sets up nginx only, so nothing would stand in front of the gateway'
    const hint = 'use proxy.engine = "nginx", or name the Caddyfile of the target caddy in services.caddy.configFile'
    const finding = { code: 'NOT_EXPRESSIBLE', severity: 'warning', path: ['proxy', 'engine'], message, hint } as const
    return { files: [], units: {}, options: [], findings: [finding] }
  }
  const { files, findings } = emitNginx(deployment)
  const [file] = files
  if (file === undefined) return { files, units: {}, options: [], findings }
  const source = option('environment', 'etc', file.install?.slice('/etc/'.length) ?? '', 'source')
  const origin = ['proxy', 'engine']
  const options: Attribute[] = [
    { path: ['services', 'nginx', 'enable'], value: boolean(true), origin },
    // a store path, so that another file restarts nginx
    { path: ['services', 'nginx', 'appendHttpConfig'], value: str('include ', source, ';'), origin },
  ]
  return { files, units: {}, options, findings: [...findings, ...certificateFindings(deployment)] }
}

/** The name server in a unit of its own, as elsewhere: services.dnsmasq belongs to the host, which may have one already. */
export function nixDns(deployment: Deployment): NixWeb {
  const { dns, names } = deployment
  if (dns === undefined) return { files: [], units: {}, options: [], findings: [] }
  const { files, findings } = emitDnsmasq(deployment)
  return {
    files: files.filter(({ install }) => install === names.dnsConfig),
    units: { [names.dnsUnit]: dnsUnit(dns, names) },
    options: [],
    findings,
  }
}

function certificateFindings({ gateway }: Deployment): Finding[] {
  if (gateway.tls.kind !== 'acme') return []
  const message = 'NixOS has no certbot, which would make the certificates that nginx is told of'
  const hint = 'use proxy.engine = "caddy", or security.acme and its files in gate.tls.files'
  return [{ code: 'NOT_EXPRESSIBLE', severity: 'warning', path: ['gate', 'tls', 'acme'], message, hint }]
}
