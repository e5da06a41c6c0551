import { join } from 'node:path'
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
  description: z.string(),
  documentation: z.array(z.string()),
  after: z.array(z.string()),
  before: z.array(z.string()),
  wants: z.array(z.string()),
  partOf: z.array(z.string()),
  requires: z.array(z.string()),
  startLimitIntervalSec: z.number().nullable(),
  overrideStrategy: z.string(),
  unitConfig: sections,
  serviceConfig: sections.optional(),
  socketConfig: sections.optional(),
  wantedBy: z.array(z.string()),
  path: z.array(z.unknown()).optional(),
  restartIfChanged: z.boolean().optional(),
  stopIfChanged: z.boolean().optional(),
  reloadTriggers: z.array(z.string()),
  restartTriggers: z.array(z.string()),
})
const ports = z.object({ allowedTCPPorts: z.array(z.number()), allowedUDPPorts: z.array(z.number()) })
const ranges = z.array(z.record(z.string(), z.number()))

/** Gate's own modules. */
export const MODULES = join(NIX_TESTS, '../../nix/modules')

/** What NixOS would be told; the shape of test/nix/evaluate.nix. */
const hostSchema = z.object({
  /** Messages of the assertions that do not hold. */
  failed: z.array(z.string()),
  warnings: z.array(z.string()),
  environment: z.object({
    etc: z.record(z.string(), z.object({ source: z.string().optional(), text: z.string().optional() })),
  }),
  /** What the files of gateways are built from. */
  builds: z.array(
    z.object({
      path: z.string(),
      script: z.string(),
      environment: z.object({ spec: z.string(), lock: z.string(), settings: z.string(), layout: z.string() }),
    }),
  ),
  hardware: z.object({
    'nvidia-container-toolkit': z.object({ enable: z.boolean() }),
    graphics: z.object({ enable: z.boolean() }),
  }),
  networking: z.object({ firewall: ports.extend({ interfaces: z.record(z.string(), ports) }) }),
  security: z.object({ acme: z.object({ certs: z.record(z.string(), z.record(z.string(), z.unknown())) }) }),
  services: z.object({
    caddy: z.object({ enable: z.boolean(), configFile: z.string() }),
    dnsmasq: z.object({ enable: z.boolean(), resolveLocalQueries: z.boolean(), settings: z.unknown() }),
    nginx: z.object({ enable: z.boolean(), appendHttpConfig: z.string() }),
  }),
  systemd: z.object({
    services: z.record(z.string(), unit),
    sockets: z.record(z.string(), unit),
    timers: z.record(z.string(), unit),
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
        linger: z.boolean().nullable(),
        subUidRanges: ranges,
        subGidRanges: ranges,
      }),
    ),
  }),
  virtualisation: z.object({ podman: z.object({ enable: z.boolean() }) }),
})

const evaluationSchema = z.object({
  hosts: z.record(z.string(), hostSchema),
  wrong: z.record(z.string(), z.object({ failed: z.array(z.string()), warnings: z.array(z.string()) })),
})

export type NixosUnit = z.output<typeof unit>
export type NixosHost = z.output<typeof hostSchema>

/**
 * Evaluates hosts together, as one process costs more than ten hosts.
 * @param hosts name -> modules, each an absolute path or an expression in parentheses
 * @throws Error with what nix-instantiate or the module system says
 */
export function evaluateHosts(hosts: Readonly<Record<string, readonly string[]>>): Record<string, NixosHost> {
  return evaluateSamples(hosts, {}).hosts
}

/** The same, and of hosts that are wrong what they are told. */
export function evaluateSamples(
  hosts: Readonly<Record<string, readonly string[]>>,
  wrong: Readonly<Record<string, readonly string[]>>,
) {
  const set = (all: Readonly<Record<string, readonly string[]>>): string =>
    Object.entries(all)
      .map(([name, modules]) => `"${name}" = [ ${modules.join(' ')} ];`)
      .join('\n')
  const arguments_ = `hosts = { ${set(hosts)} }; wrong = { ${set(wrong)} };`
  return evaluationSchema.parse(evaluateNix(`import ${NIX_TESTS}/evaluate.nix { ${arguments_} }`))
}

/** The directives of a unit file: section and key -> values in their order. Of [Install], only what NixOS knows. */
export function directivesOf(text: string): Record<string, string[]> {
  // what begins with X- is nothing to systemd
  const found = readUnit(text).filter(({ key }) => key !== 'Also' && !key.startsWith('X-'))
  const groups = Map.groupBy(found, ({ section, key }) => `${section}.${key}`)
  return Object.fromEntries([...groups].map(([key, group]) => [key, group.map(({ value }) => value)]))
}

/** The same of a unit as NixOS would write it, with store paths and groups taken back. */
export function directivesOnNixos({
  serviceConfig,
  socketConfig,
  wantedBy,
  ...unit
}: NixosUnit): Record<string, string[]> {
  const sections = { Unit: unitSection(unit), Service: serviceConfig ?? {}, Socket: socketConfig ?? {} }
  const directives = Object.entries(sections).flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => [
      `${section}.${key}`,
      [value].flat().map(
        (one) =>
          String(one)
            .replaceAll(/\/nix\/store\/(?:gate|systemd)\//g, '/usr/')
            .replace('/nix/store/dnsmasq/bin/', '/usr/sbin/')
            .replace(/^nginx$/, 'www-data'), // its group
      ),
    ]),
  )
  return Object.fromEntries([
    ...directives,
    ...(wantedBy.length === 0 ? [] : [['Install.WantedBy', [wantedBy.join(' ')]]]),
  ])
}

type Sections = Record<string, z.output<typeof unitOption>>

/** The section [Unit], of which NixOS has options for single directives. */
function unitSection(unit: Omit<NixosUnit, 'wantedBy'>): Sections {
  const lists = {
    Documentation: unit.documentation,
    Requires: unit.requires,
    Wants: unit.wants,
    PartOf: unit.partOf,
    After: unit.after,
    Before: unit.before,
  }
  return {
    ...(unit.description === '' ? {} : { Description: unit.description }),
    ...Object.fromEntries(
      Object.entries(lists).flatMap(([key, units]) => (units.length === 0 ? [] : [[key, units.join(' ')]])),
    ),
    ...(unit.startLimitIntervalSec === null ? {} : { StartLimitIntervalSec: unit.startLimitIntervalSec }),
    ...unit.unitConfig,
  }
}

/** The file that NixOS would write for a unit, but for what it adds to every service (its search path, its locale). */
export function unitText({ serviceConfig, socketConfig, wantedBy, ...unit }: NixosUnit): string {
  const sections = {
    Unit: unitSection(unit),
    Service: serviceConfig ?? {},
    Socket: socketConfig ?? {},
    Install: wantedBy.length === 0 ? {} : { WantedBy: wantedBy.join(' ') },
  }
  return Object.entries(sections)
    .filter(([, directives]) => Object.keys(directives).length > 0)
    .map(([name, directives]) => {
      const lines = Object.entries(directives).flatMap(([key, value]) => [value].flat().map((one) => `${key}=${one}\n`))
      return `[${name}]\n${lines.join('')}`
    })
    .join('\n')
}
