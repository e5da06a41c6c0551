import type { Layout } from '../../../schemas/deploy/layout.ts'
import { object, printJson, value } from '../../../syntax/json/print.ts'
import { command, type Entry, literal, text, type UnitFile, words } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { OutputFile } from '../output.ts'
import { entries, hardening } from './hardening.ts'

/** File name -> unit: what makes certificates of the internal CA at boot and at apply, and what renews them each day. */
export function caUnits(
  { authority, names, gateway, proxy }: Deployment,
  { programs }: Layout,
  comment: readonly string[],
): Record<string, UnitFile> {
  if (authority === undefined) return {}
  const { origin, proxyNames } = authority
  const reader = proxy.engine === 'none' ? `${gateway.unit}.service` : PROXY_UNITS[proxy.engine]
  const written = [
    names.caDirectory,
    names.certificatesDirectory,
    ...(proxyNames === undefined ? [names.issuerDirectory] : []),
  ]
  const service: Entry[] = [
    { key: 'ExecStart', value: command(programs.gatectl, 'ca', 'renew', names.caRequest) },
    { key: 'ReadWritePaths', value: words(...written) },
    ...hardening({ PrivateUsers: 'no', PrivateNetwork: 'yes', CapabilityBoundingSet: 'CAP_CHOWN' }),
    { key: 'SystemCallFilter', value: literal('@chown') },
  ]
  const unit = (description: string, ...more: readonly Entry[]) => ({
    name: 'Unit',
    entries: [{ key: 'Description', value: text(description) }, ...more],
  })
  const renew = `${names.caRenewUnit}.service`
  const what = 'Gate: certificates of the internal CA'
  return {
    [names.caUnit]: {
      origin,
      comment,
      sections: [
        unit(what, { key: 'Before', value: text(reader) }),
        { name: 'Service', entries: [...entries({ Type: 'oneshot', RemainAfterExit: 'yes' }), ...service] },
        { name: 'Install', entries: entries({ WantedBy: 'multi-user.target' }) },
      ],
    },
    [renew]: {
      origin,
      comment,
      sections: [
        unit(`${what} are renewed`),
        { name: 'Service', entries: [...entries({ Type: 'oneshot' }), ...service] },
      ],
    },
    [`${names.caRenewUnit}.timer`]: {
      origin,
      comment,
      sections: [
        unit(`${what} are renewed each day`),
        {
          name: 'Timer',
          entries: [
            ...entries({ OnCalendar: 'daily', RandomizedDelaySec: '6h', Persistent: 'yes' }),
            { key: 'Unit', value: text(renew) },
          ],
        },
        { name: 'Install', entries: entries({ WantedBy: 'timers.target' }) },
      ],
    },
  }
}

/** Units of proxies, which read their certificate again when they reload. */
const PROXY_UNITS = { nginx: 'nginx.service', caddy: 'caddy.service' } as const

/** What `gatectl ca renew` reads: no key, and nothing secret. @see schemas/deploy/authority.ts */
export function caRequest({ authority, names, proxy }: Deployment, { groups }: Layout): OutputFile[] {
  if (authority === undefined) return []
  const { label, permitted, proxyNames, origin } = authority
  const at = (content: string | number | readonly string[]) => value(origin, content)
  const { domains, addresses } = permitted
  const printed = printJson(
    object(origin, {
      version: at(1),
      label: at(label),
      permitted: object(origin, { domains: at(domains), addresses: at(addresses) }),
      directory: at(names.caDirectory),
      published: at(names.certificatesDirectory),
      proxy:
        proxyNames === undefined || proxy.engine === 'none'
          ? undefined
          : object(['proxy', 'engine'], {
              names: at(proxyNames),
              group: at(groups[proxy.engine]),
              unit: at(PROXY_UNITS[proxy.engine]),
            }),
      issuer:
        proxyNames === undefined
          ? object(origin, { directory: at(names.issuerDirectory), group: at(names.user) })
          : undefined,
    }),
  )
  return [{ path: 'systemd/ca.json', install: names.caRequest, mode: 0o644, ...printed }]
}
