import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { authorityFiles, CADDY, certificateFiles } from '../../../compiler/ir/names.ts'
import { readCertificate } from '../../../pki/certificate.ts'
import { DEBIAN_LAYOUT } from '../../../schemas/deploy/layout.ts'
import { spanText } from '../../../schemas/words/span.ts'
import { type ShellCommand, sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, type Fix, fail, ok, ROOT_SEES_MORE, skip, warn } from '../finding.ts'
import { namesIn, readText, statPath, textOf } from '../look.ts'

export type CertificateFacts = {
  readonly nowMs: number
  readonly certificates: readonly Certificate[]
}
export type Certificate = {
  readonly path: string
  readonly keyPath: string | undefined
  readonly names: readonly string[]
  /** What makes a new one; undefined: a person. */
  readonly renew: ShellCommand | undefined
  readonly found:
    | { readonly kind: 'absent' }
    | { readonly kind: 'denied' }
    | { readonly kind: 'invalid' }
    | {
        readonly kind: 'read'
        readonly fromMs: number
        readonly toMs: number
        /** Of `names`, those that it does not hold. */
        readonly lost: readonly string[]
        /** undefined: the key could not be read. */
        readonly matchesKey: boolean | undefined
        /** Permission bits of the key's file. */
        readonly keyMode: number | undefined
      }
}

export const certificates: Check<CertificateFacts> = {
  name: 'certificates',
  summary:
    'whether the certificates (tls.files, ACME, internal CA) are valid now and for a while, and match their keys and names',
  async observe({ deployment }) {
    const wanted = deployment === undefined ? [] : await wantedCertificates(deployment)
    return { nowMs: Date.now(), certificates: await Promise.all(wanted.map(look)) }
  },
  judge({ nowMs, certificates: all }) {
    if (all.length === 0) return [ok('the spec uses none')]
    return all.flatMap((certificate) => judgeOne(certificate, nowMs))
  },
}

function judgeOne({ path, keyPath, names, renew, found }: Certificate, nowMs: number): Finding[] {
  const fix: Fix =
    renew === undefined ? edit(path, 'put a new certificate there; a proxy has to be reloaded then') : command(renew)
  if (found.kind === 'denied') return [skip(path, ROOT_SEES_MORE)]
  if (found.kind === 'absent') return [fail(`no certificate ${path}`, 'nothing can be served over TLS', fix)]
  if (found.kind === 'invalid')
    return [fail(`${path} contains no certificate`, 'it is not PEM that OpenSSL can read', fix)]
  const { fromMs, toMs, lost, matchesKey, keyMode } = found
  const findings: Finding[] = []
  const left = toMs - nowMs
  if (left <= 0) findings.push(fail(`${path} expired ${spanText(left)} ago`, 'clients refuse it', fix))
  else if (nowMs < fromMs)
    findings.push(
      fail(
        `${path} is valid only from ${new Date(fromMs).toISOString()} on`,
        'clients refuse it until then, or this clock is wrong',
        command(sh`timedatectl`),
      ),
    )
  else if (left < Math.min((toMs - fromMs) / 4, MOST_WARNING_MS))
    findings.push(warn(`${path} expires in ${spanText(left)}`, 'it was not renewed in time', fix))
  if (matchesKey === false)
    findings.push(fail(`${keyPath} is not the key of ${path}`, 'no program can use the two together', fix))
  if (lost.length > 0)
    findings.push(fail(`${path} is not for ${lost.join(', ')}`, 'clients refuse it for these names', fix))
  if (keyPath !== undefined && keyMode !== undefined && (keyMode & 0o007) !== 0)
    findings.push(
      fail(
        `every user may read the key ${keyPath}`,
        `its mode is ${keyMode.toString(8)}`,
        command(sh`chmod o= ${keyPath}`),
      ),
    )
  return findings.length > 0 ? findings : [ok(`${path} holds ${names.join(', ') || 'a CA'}, ${spanText(left)} left`)]
}

const MOST_WARNING_MS = 21 * 86_400_000

type Wanted = Omit<Certificate, 'found'>

/** Where each way of getting certificates leaves them. */
async function wantedCertificates({
  gateway,
  proxy,
  domain,
  client,
  authority,
  names: places,
}: Deployment): Promise<Wanted[]> {
  const { tls } = gateway
  const names = domain === undefined ? [] : [domain]
  const ca = client?.ca === undefined ? [] : [{ path: client.ca, keyPath: undefined, names: [], renew: undefined }]
  switch (tls.kind) {
    case 'files':
      return [{ path: tls.cert, keyPath: tls.key, names, renew: undefined }, ...ca]
    case 'acme': {
      if (proxy.engine === 'nginx') {
        const { cert, key } = certificateFiles(DEBIAN_LAYOUT.certificates, tls.domains[0] ?? '')
        return [
          {
            path: cert,
            keyPath: key,
            names: tls.domains,
            renew: sh`certbot renew && systemctl reload nginx`,
          },
          ...ca,
        ]
      }
      return [...(proxy.engine === 'caddy' ? await caddyCertificates(tls.domains) : []), ...ca]
    }
    case 'internal-ca': {
      const { cert, key } = authorityFiles(places)
      const renew = sh`systemctl start ${`${places.caRenewUnit}.service`}`
      const { proxyNames } = authority ?? {}
      return proxyNames === undefined ? ca : [{ path: cert, keyPath: key, names: proxyNames, renew }, ...ca]
    }
    case 'none':
      return ca
  }
}

/** Below the directory of each issuer, as caddy calls it. */
async function caddyCertificates(names: readonly string[]): Promise<Wanted[]> {
  const base = CADDY.certificates
  const issuers = await namesIn(base)
  return names.map((name) => {
    const directory = `${base}/${issuers.at(-1) ?? 'local'}/${name}`
    return {
      path: `${directory}/${name}.crt`,
      keyPath: `${directory}/${name}.key`,
      names: [name],
      renew: sh`systemctl restart caddy`,
    }
  })
}

async function look(wanted: Wanted): Promise<Certificate> {
  const text = await readText(wanted.path)
  if (text.kind !== 'seen') return { ...wanted, found: { kind: text.kind } }
  const [key, keyFile] =
    wanted.keyPath === undefined ? [] : await Promise.all([textOf(wanted.keyPath), statPath(wanted.keyPath)])
  const read = readCertificate(text.value, wanted.names, key)
  if (read === undefined) return { ...wanted, found: { kind: 'invalid' } }
  const keyMode = keyFile?.kind === 'seen' ? keyFile.value.mode & 0o777 : undefined
  return { ...wanted, found: { kind: 'read', ...read, keyMode } }
}
