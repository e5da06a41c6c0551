import { basename, dirname } from 'node:path'
import type { OutputFile } from '../../compiler/emit/output.ts'
import type { Deployment } from '../../compiler/ir/deployment.ts'
import type { Generation, GenerationUnit } from '../../schemas/deploy/generation.ts'
import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'

/**
 * Every unit that apply starts, restarts or reloads, in the order in which that is done: what backends need (their user
 * managers `user@<uid>.service` among it), the backends, the daemon, the relays, then programs of the host that read
 * one of our files.
 */
export function desiredUnits(deployment: Deployment, files: readonly OutputFile[]): Generation['units'] {
  const system = systemUnits(files)
  const isLast = ({ name }: GenerationUnit) =>
    name.startsWith(deployment.gateway.unit) || name.startsWith(deployment.names.relayUnit)
  return [
    ...system.filter((unit) => !isLast(unit)),
    ...managerUnits(deployment, files),
    ...userUnits(deployment, files),
    ...system.filter(isLast).toSorted((a, b) => Number(isService(a)) - Number(isService(b))),
    ...foreignUnits(files),
  ]
}

const START_TIMEOUT_MS = 90_000

const isService = ({ name }: GenerationUnit): boolean => name.endsWith('.service')

/** Our units of the host, with our files that they name on their command lines. */
function systemUnits(files: readonly OutputFile[]): GenerationUnit[] {
  const own = files.filter(
    ({ install = '' }) => install.startsWith(`${DEBIAN_LAYOUT.directories.units}/`) && !isForeign(install),
  )
  const others = files.filter((file) => file.install !== undefined && !own.includes(file))
  const timed = new Set(
    own.flatMap(({ path }) => /([^/]+)\.timer$/.exec(path)?.[1] ?? []).map((name) => `${name}.service`),
  )
  return [...unitFiles(own)].flatMap(([name, parts]): GenerationUnit[] => {
    const text = parts.map((part) => part.text).join('')
    const read = others.filter(({ install }) => install !== undefined && namesPath(text, install))
    const reloads = /^(?:ExecReload=|Type=notify-reload$)/m.test(text)
    return [
      {
        manager: 'system',
        name,
        files: [...parts, ...(reloads ? [] : read)].map(({ path }) => path),
        reloads: reloads ? read.map(({ path }) => path) : [],
        // what a timer starts has ended most of the time
        runs: timed.has(name) ? 'when-used' : 'always',
        enable: /^WantedBy=/m.test(text),
        timeoutMs: START_TIMEOUT_MS,
      },
    ]
  })
}

function namesPath(text: string, path: string): boolean {
  return text.split(/[\s=]/).includes(path)
}

/**
 * Unit -> its file and drop-ins; a template counts for each instance that has a drop-in, and for nothing on its own.
 */
function unitFiles(files: readonly OutputFile[]): Map<string, OutputFile[]> {
  const units = new Map<string, OutputFile[]>()
  const byName = Map.groupBy(files, ({ path }) => unitOf(path))
  for (const [name, parts] of byName) {
    const isTemplate = /@\.\w+$/.test(name)
    if (isTemplate || name.startsWith('user@')) continue
    const template = name.includes('@') ? (byName.get(name.replace(/@[^.]*\./, '@.')) ?? []) : []
    units.set(name, [...template, ...parts])
  }
  return units
}

/** The unit that a file is of, or a drop-in for. */
function unitOf(path: string): string {
  const folder = basename(dirname(path))
  return folder.endsWith('.d') ? folder.slice(0, -2) : basename(path)
}

/** The manager of each backend's user, which has to start anew when a drop-in or a unit that it requires changes. */
function managerUnits({ users, boundedDirectories }: Deployment, files: readonly OutputFile[]): GenerationUnit[] {
  return users.flatMap(({ uid, linger }): GenerationUnit[] => {
    if (uid === undefined || !linger) return []
    const { units } = DEBIAN_LAYOUT.directories
    const folders = [`${units}/user@.service.d/`, `${units}/user@${uid}.service.d/`]
    // systemd restarts it with these
    const required = boundedDirectories
      .filter((directory) => directory.uid === uid)
      .map(({ unit }) => `${units}/${unit}`)
    const parts = files.filter(
      ({ install = '' }) => required.includes(install) || folders.some((folder) => install.startsWith(folder)),
    )
    return [
      {
        manager: 'system',
        name: `user@${uid}.service`,
        files: parts.map(({ path }) => path),
        reloads: [],
        runs: 'always',
        enable: false,
        timeoutMs: START_TIMEOUT_MS,
      },
    ]
  })
}

function userUnits(
  { users, containers, sockets: byBackend }: Deployment,
  files: readonly OutputFile[],
): GenerationUnit[] {
  return users.flatMap(({ name: manager, uid }) => {
    const plain = files.filter(({ path }) => path.startsWith(`quadlet/user-units/${uid}/`))
    const quadlets = files.filter(({ path }) => path.startsWith(`quadlet/users/${uid}/`))
    const followers = new Set(byBackend.filter(({ onDemand }) => !onDemand).map(({ socketUnit }) => socketUnit))
    const sockets = [...unitFiles(plain)].filter(([name]) => /\.(?:socket|service)$/.test(name))
    const unit = (name: string, parts: readonly OutputFile[], runs: GenerationUnit['runs'], timeoutMs: number) => ({
      manager,
      name,
      files: parts.map(({ path }) => path),
      reloads: [],
      runs,
      enable: false,
      timeoutMs,
    })
    return [
      ...containers
        .filter((container) => container.user === manager)
        .map(({ unit: name, onDemand, startTimeoutMs }) =>
          unit(`${name}.service`, quadlets, onDemand ? 'when-used' : 'always', startTimeoutMs),
        ),
      ...sockets.map(([name, parts]) =>
        // those that live with their container are started by it
        unit(name, parts, name.endsWith('.socket') && !followers.has(name) ? 'always' : 'when-used', START_TIMEOUT_MS),
      ),
    ]
  })
}

/** Unit -> what it reads. */
const FOREIGN_FILES: readonly (readonly [string, RegExp])[] = [
  ['nginx.service', /^\/etc\/nginx\//],
  ['caddy.service', /^\/etc\/(?:caddy|systemd\/system\/caddy\.service\.d)\//],
]

const isForeign = (install: string): boolean => FOREIGN_FILES.some(([, place]) => place.test(install))

/** Programs that the host has anyway, and that read one of our files. */
function foreignUnits(files: readonly OutputFile[]): GenerationUnit[] {
  return FOREIGN_FILES.flatMap(([name, place]): GenerationUnit[] => {
    const reloads = files.filter(({ install }) => install !== undefined && place.test(install))
    if (reloads.length === 0) return []
    const paths = reloads.map(({ path }) => path)
    return [
      {
        manager: 'system',
        name,
        files: [],
        reloads: paths,
        runs: 'foreign',
        enable: false,
        timeoutMs: START_TIMEOUT_MS,
      },
    ]
  })
}
