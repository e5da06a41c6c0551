import { configSchema } from '../../../schemas/config/config.ts'
import { keyTree, nodeAt } from '../../../schemas/config/keys.ts'
import { environmentName } from '../../../schemas/words/key-names.ts'
import { command, type Entry, literal, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Gateway } from '../../ir/nodes/gateway.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import { entries, hardening } from './hardening.ts'

/** Directives that hand secrets to one service, and what cannot be handed over. */
export type Handover = { readonly entries: readonly Entry[]; readonly findings: readonly Finding[] }

/** The daemon's secrets, each as a credential that is called like the key that it fills. */
export function daemonCredentials({ gateway, secrets }: Deployment): Handover {
  const tree = keyTree(configSchema)
  const known = secrets.flatMap((secret) => {
    const { destination } = secret
    if (destination.kind !== 'daemon') return []
    // a credential that the daemon does not know would stop it from starting; the target `declared` reports these
    return nodeAt(tree, destination.credential.split('.')) === undefined ? [] : [{ secret, id: destination.credential }]
  })
  return join(known.map(({ secret, id }) => handOver(gateway, secret, id, daemonHint(id))))
}

function daemonHint(id: string): string {
  return `write { credential = "…" } or { file = "…" }, or set ${environmentName(id.split('.'))} in the environment file`
}

/** The secrets of one relay. */
export function relayCredentials({ gateway, secrets }: Deployment, instance: string): Handover {
  const own = secrets.flatMap((secret) =>
    secret.destination.kind === 'relay' && secret.destination.instance === instance
      ? [handOver(gateway, secret, secret.destination.credential, FILE_HINT)]
      : [],
  )
  return join(own)
}

const FILE_HINT = 'write { credential = "…" } or { file = "…" }'

function handOver(
  { generatedDirectory }: Gateway,
  { source, origin, name }: Secret,
  id: string,
  hint: string,
): Handover {
  if ('env' in source) {
    const message = `systemd has no environment "${source.env}" to take this secret from`
    return { entries: [], findings: [{ code: 'UNREACHABLE_SECRET', severity: 'warning', path: origin, message, hint }] }
  }
  if ('file' in source && /[ \\]/.test(source.file)) {
    const message = 'systemd cannot open a credential whose path has a space or a backslash'
    return { entries: [], findings: [{ code: 'NOT_EXPRESSIBLE', path: origin, message, hint: 'rename the file' }] }
  }
  return { entries: [{ key: 'LoadCredential', value: text(`${id}:${place()}`), origin }], findings: [] }

  function place(): string {
    if ('generated' in source) return `${generatedDirectory}/${name}`
    // a name alone is looked for in /etc/credstore and among the credentials of the host; systemd.exec(5)
    return 'file' in source ? source.file : 'credential' in source ? source.credential : ''
  }
}

function join(parts: readonly Handover[]): Handover {
  return { entries: parts.flatMap((part) => part.entries), findings: parts.flatMap((part) => part.findings) }
}

type EnvironmentFile = Extract<Secret['destination'], { kind: 'environment' }>
type EnvironmentSecret = Secret & { readonly destination: EnvironmentFile }

/**
 * File name -> unit: what makes the generated secrets, and what writes each environment file below /run at boot.
 * `wanted` has, by user id, what the manager of a backend's user waits for.
 */
export function secretUnits(deployment: Deployment, shell: string, comment: readonly string[]) {
  const { gateway, secrets } = deployment
  const generated = secrets.filter(({ source }) => 'generated' in source)
  const byUnit = Map.groupBy(secrets.filter(isEnvironment), ({ destination }) => destination.unit)
  const made = [...byUnit].map(([unit, group]) => ({ unit, ...environmentUnit(gateway, group, shell, comment) }))
  const units: Record<string, UnitFile> = Object.fromEntries(made.map(({ unit, file }) => [unit, file]))
  if (generated.length > 0) units[gateway.secretsUnit] = generatorUnit(gateway, generated, shell, comment)
  const wanted = new Map(made.map(({ uid, unit }) => [uid, unit] as const))
  return { units, wanted, findings: made.flatMap(({ findings }) => findings) }
}

const isEnvironment = (secret: Secret): secret is EnvironmentSecret => secret.destination.kind === 'environment'

/** Makes what is absent, 256 bits each, and never touches what is there. Arguments: the directory, then the names. */
const GENERATE = `umask 0077; mkdir -p "$1"; cd "$1"; shift; for name; do [ -s "$name" ] || { head -c 32 /dev/urandom | base64 -w 0 >"$name.new"; mv "$name.new" "$name"; }; done`

function generatorUnit(
  { origin, generatedDirectory }: Gateway,
  secrets: readonly Secret[],
  shell: string,
  comment: readonly string[],
) {
  const names = [...new Set(secrets.map(({ name }) => name))]
  return oneshot({
    origin,
    comment,
    description: 'Gate: secrets that are made once and kept',
    unit: [],
    service: [
      { key: 'ExecStart', value: command(shell, '-euc', GENERATE, 'sh', generatedDirectory, ...names) },
      ...hardening({ ...ROOT, ProtectSystem: 'full' }),
    ],
  })
}

/**
 * Writes one line NAME=value per credential, for root and one group. Arguments: the file, the group. A file of variables
 * holds one line for each, so a secret with no line or several is refused by name.
 */
export const WRITE_SECRETS = [
  'umask 0077; cd "$CREDENTIALS_DIRECTORY"',
  'refuse() { echo "the secret for $1 $2" >&2; exit 1; }',
  'for name in *; do { IFS= read -r value || :; rest=$(cat); } <"$name"',
  '[ -n "$value" ] || refuse "$name" "is empty"; [ -z "$rest" ] || refuse "$name" "has more than one line"',
  `printf '%s=%s\\n' "$name" "$value"; done >"$1.new"`,
  'chgrp "$2" "$1.new"; chmod 0440 "$1.new"; mv "$1.new" "$1"',
].join('; ')

function environmentUnit(
  gateway: Gateway,
  secrets: readonly EnvironmentSecret[],
  shell: string,
  comment: readonly string[],
) {
  const [first] = secrets
  if (first === undefined) throw new Error('a group has a member')
  const { file, user, uid } = first.destination
  const origin = first.origin.slice(0, 2)
  const { entries: credentials, findings } = join(
    secrets.map((secret) => handOver(gateway, secret, secret.destination.variable, FILE_HINT)),
  )
  const generator = secrets.some(({ source }) => 'generated' in source)
    ? [
        { key: 'Requires', value: text(gateway.secretsUnit) },
        { key: 'After', value: text(gateway.secretsUnit) },
      ]
    : []
  const service: Entry[] = [
    { key: 'ExecStart', value: command(shell, '-euc', WRITE_SECRETS, 'sh', file, user) },
    ...credentials,
    { key: 'ReadWritePaths', value: command(file.slice(0, file.lastIndexOf('/'))) },
    ...hardening({ ...ROOT, CapabilityBoundingSet: 'CAP_CHOWN' }),
    { key: 'SystemCallFilter', value: literal('@chown') },
  ]
  return {
    findings,
    uid,
    file: oneshot({ origin, comment, description: `Gate: secrets of ${user}`, unit: generator, service }),
  }
}

/** root is root here, not nobody of a user namespace. */
const ROOT = { PrivateUsers: 'no', PrivateNetwork: 'yes' }

type Oneshot = {
  readonly origin: UnitFile['origin']
  readonly comment: readonly string[]
  readonly description: string
  readonly unit: readonly Entry[]
  readonly service: readonly Entry[]
}

function oneshot({ origin, comment, description, unit, service }: Oneshot): UnitFile {
  return {
    origin,
    comment,
    sections: [
      { name: 'Unit', entries: [{ key: 'Description', value: text(description) }, ...unit] },
      { name: 'Service', entries: [...entries({ Type: 'oneshot', RemainAfterExit: 'yes' }), ...service] },
    ],
  }
}
