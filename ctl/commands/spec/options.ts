import { ENGINES, GPU_KINDS } from '../../../schemas/words/engines.ts'
import { PROFILE_NAMES } from '../../../schemas/words/profiles.ts'
import { TARGET_NAMES } from '../../../schemas/words/targets.ts'
import type { Option } from '../../command.ts'

export const TARGET: Option = {
  type: 'string',
  value: 'A,B',
  description: `what to make: ${TARGET_NAMES.join(', ')}`,
  complete: TARGET_NAMES,
}
/** What a compilation depends on beside the spec. */
export const COMPILE_OPTIONS = {
  podman: { type: 'string', value: '5.4', description: 'version of podman on the host (5.4, as in Debian 13)' },
  systemd: { type: 'string', value: '257', description: 'version of systemd on the host (257, as in Debian 13)' },
  lock: { type: 'string', value: 'FILE', description: 'instead of gate.lock.json beside SPEC', complete: 'file' },
} as const satisfies Readonly<Record<string, Option>>
/** What a host has that is not as on Debian, and what lies over the spec there. */
export const HOST_OPTIONS = {
  layout: {
    type: 'string',
    value: 'FILE',
    description: 'where the host has programs and directories (JSON; as on Debian)',
    complete: 'file',
  },
  settings: {
    type: 'string',
    value: 'FILE',
    description: "keys of the daemon's configuration to lie over what SPEC gives (JSON)",
    complete: 'file',
  },
} as const satisfies Readonly<Record<string, Option>>
export const SPEC = { name: 'SPEC', complete: 'file' } as const
/** That of the host when it is not given. */
export const HOST_SPEC = { ...SPEC, optional: true } as const
export const LOCK: Option = COMPILE_OPTIONS.lock

export const INIT_OPTIONS: Readonly<Record<string, Option>> = {
  yes: { type: 'boolean', short: 'y', description: 'ask nothing: options and defaults only' },
  domain: { type: 'string', value: 'NAME', description: 'domain of the gateway and its apps (none)' },
  profile: {
    type: 'string',
    value: 'NAME',
    description: 'size of the machine (desktop)',
    complete: PROFILE_NAMES,
  },
  port: { type: 'string', value: 'PORT', description: 'port of the gateway, or random (3000)' },
  proxy: {
    type: 'string',
    value: 'NAME',
    description: 'reverse proxy in front of it: nginx, caddy, none (none)',
    complete: ['nginx', 'caddy', 'none'],
  },
  tls: {
    type: 'string',
    value: 'KIND',
    description: 'certificates: acme:ADDRESS, internal-ca, none (none)',
    complete: ['internal-ca', 'none'],
  },
  budget: {
    type: 'string',
    value: 'NAME',
    description: 'money: test (5 USD a day), prod (200 USD a month), unlimited (unlimited)',
    complete: ['test', 'prod', 'unlimited'],
  },
  gpu: {
    type: 'string',
    value: 'KIND',
    description: 'GPU of the backends (none)',
    complete: GPU_KINDS,
  },
  upstream: { type: 'string', multiple: true, value: 'PROVIDER', description: 'an upstream; more than once' },
  backend: {
    type: 'string',
    multiple: true,
    value: 'NAME=ENGINE:MODEL',
    description: `a local engine: ${ENGINES.filter((engine) => engine !== 'custom').join(', ')}; more than once`,
  },
  image: {
    type: 'string',
    multiple: true,
    value: 'NAME=IMAGE',
    description: 'image of a backend, as registry/name@sha256:…; more than once (the usual one, by tag)',
  },
  force: { type: 'boolean', description: 'overwrite FILE' },
}
