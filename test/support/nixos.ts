import { z } from 'zod'
import { evaluateNix, NIX_TESTS } from './nix.ts'

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
