import { z } from 'zod'
import { evaluateNix, NIX_TESTS } from './nix.ts'
import { readUnit } from './unit-reader.ts'

const unitOption = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.union([z.string(), z.number(), z.boolean()])),
])
const sections = z.record(z.string(), unitOption)
const unit = z.object({
  overrideStrategy: z.string(),
  unitConfig: sections,
  serviceConfig: sections.optional(),
  socketConfig: sections.optional(),
  wantedBy: z.array(z.string()),
  restartIfChanged: z.boolean().optional(),
  stopIfChanged: z.boolean().optional(),
  reloadTriggers: z.array(z.string()),
  restartTriggers: z.array(z.string()),
})
const ports = z.object({ allowedTCPPorts: z.array(z.number()), allowedUDPPorts: z.array(z.number()) })
const ranges = z.array(z.record(z.string(), z.number()))

/** What NixOS would be told; the shape of test/nix/evaluate.nix. */
const hostSchema = z.object({
  /** Messages of the assertions that do not hold. */
  failed: z.array(z.string()),
  warnings: z.array(z.string()),
  environment: z.object({ etc: z.record(z.string(), z.object({ text: z.string() })) }),
  hardware: z.object({ 'nvidia-container-toolkit': z.object({ enable: z.boolean() }) }),
  networking: z.object({ firewall: ports.extend({ interfaces: z.record(z.string(), ports) }) }),
  services: z.object({ nginx: z.object({ enable: z.boolean(), appendHttpConfig: z.string() }) }),
  systemd: z.object({
    services: z.record(z.string(), unit),
    sockets: z.record(z.string(), unit),
    tmpfiles: z.object({ rules: z.array(z.string()) }),
    user: z.object({ generators: z.record(z.string(), z.string()), services: z.record(z.string(), unit) }),
  }),
  users: z.object({
    groups: z.record(z.string(), z.object({ gid: z.number().nullable() })),
    users: z.record(
      z.string(),
      z.object({
        isSystemUser: z.boolean(),
        uid: z.number().nullable(),
        group: z.string(),
        extraGroups: z.array(z.string()),
        description: z.string(),
        home: z.string(),
        linger: z.boolean(),
        subUidRanges: ranges,
        subGidRanges: ranges,
      }),
    ),
  }),
  virtualisation: z.object({ podman: z.object({ enable: z.boolean() }) }),
})

export type NixosUnit = z.output<typeof unit>
export type NixosHost = z.output<typeof hostSchema>

/**
 * Evaluates hosts together, as one process costs more than ten hosts.
 * @param hosts name -> modules, each an absolute path or an expression in parentheses
 * @throws Error with what nix-instantiate or the module system says
 */
export function evaluateHosts(hosts: Readonly<Record<string, readonly string[]>>): Record<string, NixosHost> {
  const entries = Object.entries(hosts).map(([name, modules]) => `"${name}" = [ ${modules.join(' ')} ];`)
  const value = evaluateNix(`import ${NIX_TESTS}/evaluate.nix { hosts = { ${entries.join('\n')} }; }`)
  return z.record(z.string(), hostSchema).parse(value)
}

/** The directives of a unit file: section and key -> values in their order. Of [Install], only what NixOS knows. */
export function directivesOf(text: string): Record<string, string[]> {
  const found = readUnit(text).filter(({ key }) => key !== 'Also')
  const groups = Map.groupBy(found, ({ section, key }) => `${section}.${key}`)
  return Object.fromEntries([...groups].map(([key, group]) => [key, group.map(({ value }) => value)]))
}

/** The same of a unit as NixOS would write it, with store paths taken back. */
export function directivesOnNixos({
  unitConfig,
  serviceConfig,
  socketConfig,
  wantedBy,
}: NixosUnit): Record<string, string[]> {
  const sections = { Unit: unitConfig, Service: serviceConfig ?? {}, Socket: socketConfig ?? {} }
  const directives = Object.entries(sections).flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => [
      `${section}.${key}`,
      [value].flat().map((one) =>
        String(one)
          .replaceAll(/\/nix\/store\/(?:gate|systemd)\//g, '/usr/')
          .replace('/nix/store/dnsmasq/bin/', '/usr/sbin/'),
      ),
    ]),
  )
  return Object.fromEntries([
    ...directives,
    ...(wantedBy.length === 0 ? [] : [['Install.WantedBy', [wantedBy.join(' ')]]]),
  ])
}
