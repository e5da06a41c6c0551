import { sh } from '../../syntax/shell/print.ts'
import { PORT_TABLES, parseSockets } from '../../system/proc-net.ts'
import type { HostView } from '../host.ts'
import { HostError, type HostProblem } from '../problem.ts'
import { podmanProblem, type Versions } from '../versions.ts'
import type { Desired } from './desired.ts'
import { missingModels } from './models.ts'
import { unsafeMounts } from './mount-sources.ts'
import type { Observed } from './observe.ts'
import { ownershipProblems } from './ownership.ts'
import { planProblems } from './problems.ts'

/** Everything that the host lacks for a generation, found before anything is changed. */
export function missingRequirements(
  host: HostView,
  desired: Desired,
  observed: Observed,
  versions: Versions,
): HostProblem[] {
  const { generation } = desired
  return [
    ...(generation.images.length === 0 ? [] : podmanProblems(host, versions)),
    ...planProblems(desired, observed),
    ...credentialProblems(host, desired),
    ...portProblems(host, desired, observed),
    ...archiveProblems(host, observed),
    ...ownershipProblems(host, desired, observed.accounts),
    ...missingModels(host, desired.models),
    ...unsafeMounts(host, { ...generation, users: generation.accounts, mounts: desired.mounts }, observed.accounts),
  ]
}

/** Programs that rootless containers need, and the Debian package of each. */
const ROOTLESS = [
  { program: '/usr/bin/newuidmap', debianPackage: 'uidmap' },
  { program: '/usr/bin/dbus-daemon', debianPackage: 'dbus-user-session' },
]

function podmanProblems(host: HostView, { podman }: Versions): HostProblem[] {
  const problem = podmanProblem(podman)
  if (problem !== undefined) {
    const hint = 'backends need podman 4.4 or newer: apt install podman uidmap passt crun dbus-user-session'
    return [{ code: podman === undefined ? 'NO_PODMAN' : 'WRONG_VERSION', message: problem, hint }]
  }
  return ROOTLESS.filter(({ program }) => host.status(program) === undefined).map(({ program, debianPackage }) => ({
    code: 'NO_PROGRAM',
    message: `rootless containers need ${program}`,
    hint: `apt install ${debianPackage}`,
  }))
}

/** Where systemd looks for a credential by its name. @see systemd.exec(5) LoadCredential= */
const CREDENTIAL_STORES = ['/etc/credstore', '/run/credstore', '/usr/local/lib/credstore', '/usr/lib/credstore']

function credentialProblems(host: HostView, { generation }: Desired): HostProblem[] {
  return generation.credentials.flatMap(({ for: key, credential, file }): HostProblem[] => {
    const places = file === undefined ? CREDENTIAL_STORES.map((store) => `${store}/${credential}`) : [file]
    const found = places.find((place) => host.status(place) !== undefined)
    if (found !== undefined) return secretProblems(host, key, found)
    const place = places[0] ?? ''
    const message = `the secret for ${key} is missing: ${place}`
    const hint = `write it: ${sh`install -D -m 600 /dev/stdin ${place}`}, then type or paste it and end with Ctrl-D`
    return [{ code: 'MISSING_SECRET', message, hint }]
  })
}

/** What becomes a variable or a header is one line. Says nothing of the secret itself. */
function secretProblems(host: HostView, key: string, place: string): HostProblem[] {
  const lines = linesOf(host, place)
  if (lines === undefined || lines === 1) return []
  const message = `the secret for ${key} ${lines === 0 ? 'is empty' : 'has more than one line'}: ${place}`
  return [{ code: 'INVALID_SECRET', message, hint: 'write the secret alone into it, on one line' }]
}

/** @returns undefined when this user may not read it */
function linesOf(host: HostView, place: string): number | undefined {
  try {
    const text = host.read(place)?.replace(/[\r\n]+$/, '')
    return text === '' ? 0 : text?.split('\n').length
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}

function archiveProblems(host: HostView, { missingImages }: Observed): HostProblem[] {
  return missingImages.flatMap(({ image, archive }): HostProblem[] => {
    if (archive === undefined || host.status(archive) !== undefined) return []
    const message = `${archive}, the archive of ${image}, does not exist`
    return [{ code: 'MISSING_IMAGE', message, hint: 'put it there, or correct image_archive' }]
  })
}

/** Ports that another program listens on. Those of the generations in use are ours. */
function portProblems(host: HostView, { generation }: Desired, { generations, running }: Observed): HostProblem[] {
  const inUse = [generations.current, generations.committed].flatMap((number) =>
    number === undefined ? [] : (generations.manifests.get(number)?.listeners ?? []),
  )
  // a package's own, before the first apply
  const hasSocket = inUse.length === 0 && running.has(`system/${generation.prefix}-daemon.socket`)
  const isOurs = (protocol: string, port: number, unit: string) =>
    (unit.startsWith('gate.server.') && hasSocket) ||
    inUse.some((own) => own.protocol === protocol && own.port === port)
  return generation.listeners.flatMap(({ protocol, port, unit }): HostProblem[] => {
    if (isOurs(protocol, port, unit) || !listeningPorts(host, protocol).has(port)) return []
    const message = `${protocol} port ${port} of ${unit} is taken on this host`
    return [{ code: 'PORT_TAKEN', message, hint: `see by what: ss -lnp sport = ${port}; or choose another port` }]
  })
}

function listeningPorts(host: HostView, protocol: 'tcp' | 'udp'): Set<number> {
  const tables = PORT_TABLES.filter((table) => table.protocol === protocol)
  return new Set(tables.flatMap(({ file }) => parseSockets(host.read(file) ?? '', protocol).map(({ port }) => port)))
}
