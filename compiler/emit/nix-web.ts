import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'
import { type Attribute, boolean, option, str } from '../syntax/nix.ts'
import { emitNginx } from './nginx.ts'
import type { OutputFile } from './output.ts'

/** What the reverse proxy needs: files below /etc, and options of NixOS that name them. */
export type NixWeb = {
  readonly files: readonly OutputFile[]
  readonly options: readonly Attribute[]
  readonly findings: readonly Finding[]
}

/**
 * The proxy's own file, included by the service of NixOS. Not rebuilt of services.nginx.virtualHosts: the file is what
 * nginx itself has checked, and is the same on every host.
 */
export function nixWeb(deployment: Deployment): NixWeb {
  const { files, findings } = emitNginx(deployment)
  const [file] = files
  if (file === undefined) return { files, options: [], findings }
  const source = option('environment', 'etc', file.install?.slice('/etc/'.length) ?? '', 'source')
  const origin = ['proxy', 'engine']
  const options: Attribute[] = [
    { path: ['services', 'nginx', 'enable'], value: boolean(true), origin },
    // a store path, so that another file restarts nginx
    { path: ['services', 'nginx', 'appendHttpConfig'], value: str('include ', source, ';'), origin },
  ]
  return { files, options, findings: [...findings, ...certificateFindings(deployment)] }
}

function certificateFindings({ gateway }: Deployment): Finding[] {
  if (gateway.tls.kind !== 'acme') return []
  const message = 'NixOS has no certbot, which would make the certificates that nginx is told of'
  const hint = 'use proxy.engine = "caddy", or security.acme and its files in gate.tls.files'
  return [{ code: 'NOT_EXPRESSIBLE', severity: 'warning', path: ['gate', 'tls', 'acme'], message, hint }]
}
