import { createHash } from 'node:crypto'
import type { Compiled } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import type { Deployment } from '../../compiler/ir/deployment.ts'
import { userUnitDirectory } from '../../compiler/ir/names.ts'
import type { Secret } from '../../compiler/ir/nodes/host.ts'
import { type Generation, generationSchema } from '../../schemas/deploy/generation.ts'
import type { Target } from '../../schemas/words/targets.ts'
import { desiredUnits } from './desired-units.ts'
import { type NeededModel, neededModels } from './models.ts'
import { type MountSource, mountSources } from './mount-sources.ts'

/** What a host is to be: a generation and the texts of its files. */
export type Desired = {
  readonly generation: Generation
  /** By path below the generation. */
  readonly texts: ReadonlyMap<string, string>
  /** What has to be there before it starts; of a generation that was applied before, nothing is known. */
  readonly models: readonly NeededModel[]
  readonly mounts: readonly MountSource[]
}

/** What is compiled for a host; each makes nothing when the spec does not ask for it. */
export const DEPLOYED_TARGETS: readonly Target[] = [
  'caddy',
  'client',
  'declared',
  'dnsmasq',
  'nftables',
  'nginx',
  'quadlet',
  'systemd',
]

/** The spec is kept in its generation under this name. */
const KEPT_SPEC = 'gate.spec'

/** A host with nothing of Gate on it. */
export function nothingDesired(prefix: string): Desired {
  const generation = generationSchema.parse({
    version: 1,
    prefix,
    files: [],
    groups: [],
    accounts: [],
    directories: [],
    links: [],
    units: [],
    images: [],
    networks: [],
    volumes: [],
    secrets: [],
    credentials: [],
    listeners: [],
  })
  return { generation, texts: new Map(), models: [], mounts: [] }
}

/** What a compiled spec asks of its host. @param specText kept beside the files, for people */
export function desiredState({ files, deployment }: Compiled, specText: string): Desired {
  const spec: OutputFile = { path: KEPT_SPEC, mode: 0o644, text: specText, origins: [] }
  const all = [...files, spec]
  const { containers, users, groups, directories, networks, volumes, secrets, listeners, prefix } = deployment
  const generation = generationSchema.parse({
    version: 1,
    prefix,
    files: all.map(({ path, install, mode, text }) => ({
      path,
      ...(install === undefined ? {} : { install }),
      mode,
      sha256: sha256(text),
    })),
    groups: groups.map(({ name }) => name),
    accounts: users.map(({ name, uid, home, groups: memberships, subuid, linger }) => ({
      name,
      home,
      groups: [...memberships],
      linger,
      ...(uid === undefined ? {} : { uid }),
      ...(subuid === undefined ? {} : { subuid: { ...subuid } }),
    })),
    directories: directories.map(({ path }) => path),
    links: unitLinks(deployment, all),
    units: desiredUnits(deployment, all),
    images: containers.map(({ user, image, imageArchive }) => ({
      user,
      image,
      ...(imageArchive === undefined ? {} : { archive: imageArchive }),
    })),
    networks: networks.map(({ user, podmanName }) => ({ user, name: podmanName })),
    volumes: volumes.map(({ user, podmanName }) => ({ user, name: podmanName })),
    secrets: [...new Set(secrets.flatMap(({ source, name }) => ('generated' in source ? [name] : [])))],
    credentials: secrets.flatMap((secret) => neededCredential(secret)),
    listeners: listeners
      // the ports of a proxy are its own matter, and nothing listens for peers yet
      .filter(({ origin }) => !['proxy', 'client'].includes(origin[0] as string) && origin.at(-1) !== 'p2p_port')
      .map(({ protocol, port, origin }) => ({ protocol, port, unit: origin.join('.') })),
  })
  const texts = new Map(all.map(({ path, text }) => [path, text]))
  return { generation, texts, models: neededModels(deployment), mounts: mountSources(deployment) }
}

/** Whether two generations ask the same of a host; the spec's comments and the READMEs do not count. */
export function isSameGeneration(a: Generation, b: Generation): boolean {
  const effective = ({ files, ...rest }: Generation) => ({ ...rest, files: files.filter(({ install }) => install) })
  return JSON.stringify(effective(a)) === JSON.stringify(effective(b))
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export const deployDirectory = (prefix: string): string => `/var/lib/${prefix}-deploy`

/**
 * Directories of plain units that a user's manager reads: one flip of `current` switches all of them. Quadlets are not
 * links: podman's generator gives those to every user when their directory is reached through one.
 */
function unitLinks({ prefix, users }: Deployment, files: readonly OutputFile[]): Generation['links'] {
  return users.flatMap(({ uid, home }) => {
    const inner = `quadlet/user-units/${uid}`
    if (!files.some(({ path }) => path.startsWith(`${inner}/`))) return []
    return [{ path: userUnitDirectory(home), target: `${deployDirectory(prefix)}/current/${inner}` }]
  })
}

function neededCredential({ name, source }: Secret): Generation['credentials'] {
  if ('credential' in source) return [{ for: name, credential: source.credential }]
  return 'file' in source ? [{ for: name, file: source.file }] : []
}
