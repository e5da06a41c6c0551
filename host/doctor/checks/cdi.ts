import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, fail, listed, ok, warn } from '../finding.ts'
import { namesIn, statPath, textOf } from '../look.ts'

/** Where podman looks unless containers.conf says otherwise; before 5.6 in the first only. */
const CDI_DEFAULT = ['/etc/cdi', '/var/run/cdi']
/** Where else such files turn up: other tools' defaults, and homes. */
const CDI_ELSEWHERE = ['/usr/local/etc/cdi', '/usr/share/cdi', '/usr/lib/cdi', '/var/lib/cdi', '/root/.config/cdi']

export type CdiFacts = {
  /** NVIDIA devices that backends want: "all", "0", a UUID. */
  readonly wanted: readonly string[]
  /** Directories that podman searches. */
  readonly searched: readonly string[]
  readonly files: readonly CdiFile[]
}
type CdiFile = {
  readonly path: string
  readonly directory: string
  /** Whether every user may read it, directories included. */
  readonly isPublic: boolean
  /** Names of its NVIDIA devices; empty for other kinds. */
  readonly devices: readonly string[]
  /** Nodes in /dev that it names and that are not there. */
  readonly lostNodes: readonly string[]
}

export const cdi: Check<CdiFacts> = {
  name: 'cdi',
  summary:
    'whether the CDI files of NVIDIA GPUs are made, readable, where podman searches, and name the devices of the backends',
  async observe({ deployment }) {
    const wanted = nvidiaDevices(deployment)
    const searched = await searchedDirectories()
    const folders = [...new Set([...searched, ...CDI_DEFAULT, ...CDI_ELSEWHERE])]
    const files = await Promise.all(
      folders.map(async (folder) => (await namesIn(folder)).map((name) => ({ folder, name }))),
    )
    const cdiFiles = files.flat().filter(({ name }) => /\.(?:ya?ml|json)$/.test(name))
    return { wanted, searched, files: await Promise.all(cdiFiles.map(({ folder, name }) => readCdiFile(folder, name))) }
  },
  judge({ wanted, searched, files }) {
    if (wanted.length === 0) return [ok('no backend uses an NVIDIA GPU')]
    const [target = '/etc/cdi'] = searched
    const generate = sh`mkdir -p ${target} && nvidia-ctk cdi generate --output=${`${target}/nvidia.yaml`}`
    const found = files.filter(({ directory }) => searched.includes(directory))
    const closed = found.filter(({ isPublic }) => !isPublic)
    if (closed.length > 0)
      return closed.map(({ path, directory }) => {
        const why = 'podman of a backend user skips it: "unresolvable CDI devices nvidia.com/gpu=…"'
        return fail(
          `${path} is not readable by every user`,
          why,
          command(sh`chmod 0755 ${directory} && chmod 0644 ${path}`),
        )
      })
    const nvidia = found.filter(({ devices }) => devices.length > 0)
    if (nvidia.length === 0) {
      const astray = files.find(({ devices, directory }) => devices.length > 0 && !searched.includes(directory))
      if (astray === undefined)
        return [
          fail('no CDI file of an NVIDIA GPU', `podman finds no GPU in ${searched.join(' or ')}`, command(generate)),
        ]
      const why = `podman searches ${searched.join(' and ')}`
      return [
        fail(
          `${astray.path} is where podman does not search`,
          why,
          command(sh`install -D -m 0644 ${[astray.path, `${target}/nvidia.yaml`]}`),
        ),
      ]
    }
    const known = nvidia.flatMap(({ devices }) => devices)
    const lost = wanted.filter((name) => !known.includes(name))
    if (lost.length > 0)
      return [
        fail(
          `no GPU ${listed(lost)} in ${listed(nvidia.map(({ path }) => path))}`,
          `there are: ${known.join(', ')}`,
          command(generate),
        ),
      ]
    const stale = nvidia.find(({ lostNodes }) => lostNodes.length > 0)
    if (stale !== undefined)
      return [
        warn(
          `${stale.path} names ${listed(stale.lostNodes)}, which do not exist`,
          'it is older than the driver or its devices; a container with it does not start',
          command(generate),
        ),
      ]
    return [ok(`${listed(nvidia.map(({ path }) => path))}: ${known.join(', ')}`)]
  },
}

function nvidiaDevices(deployment: Deployment | undefined): string[] {
  const all = (deployment?.containers ?? []).filter(({ gpu }) => gpu === 'nvidia').flatMap(({ devices }) => devices)
  return [...new Set(all.map((device) => device.replace(/^nvidia\.com\/gpu=/, '')))]
}

/** @see containers.conf(5) "cdi_spec_dirs"; files are read in this order, the last that sets it holds */
async function searchedDirectories(): Promise<readonly string[]> {
  const drop = '/etc/containers/containers.conf.d'
  const files = [
    '/usr/share/containers/containers.conf',
    '/etc/containers/containers.conf',
    ...(await namesIn(drop)).filter((name) => name.endsWith('.conf')).map((name) => `${drop}/${name}`),
  ]
  const texts = await Promise.all(files.map(textOf))
  const lists = texts.flatMap((text) => /^\s*cdi_spec_dirs\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? [])
  const last = lists.at(-1)
  return last === undefined ? CDI_DEFAULT : [...last.matchAll(/"([^"]+)"/g)].map(([, path = '']) => path)
}

async function readCdiFile(directory: string, name: string): Promise<CdiFile> {
  const path = `${directory}/${name}`
  const [file, folder, text] = await Promise.all([statPath(path), statPath(directory), textOf(path)])
  const isPublic =
    file.kind === 'seen' &&
    folder.kind === 'seen' &&
    (file.value.mode & 0o004) !== 0 &&
    (folder.value.mode & 0o001) !== 0
  const { devices, nodes } = parseCdi(text)
  const there = await Promise.all(nodes.map(async (node) => ({ node, kind: (await statPath(node)).kind })))
  return {
    path,
    directory,
    isPublic,
    devices,
    lostNodes: there.filter(({ kind }) => kind === 'absent').map(({ node }) => node),
  }
}

/**
 * The device names and nodes of a CDI file, YAML as nvidia-ctk writes it, or JSON. Not a parser: it looks for the few
 * lines it needs.
 * @see https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md
 */
export function parseCdi(text: string): { devices: string[]; nodes: string[] } {
  if (!/["']?kind["']?\s*:\s*["']?nvidia\.com\/gpu\b/.test(text)) return { devices: [], nodes: [] }
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`["']?\\b${key}["']?\\s*:\\s*["']?([^"',\\s}\\]]+)`, 'g'))].map(
      ([, value = '']) => value,
    )
  return {
    devices: [...new Set(values('name').filter((name) => /^(?:all|\d+(?::\d+)?|(?:GPU|MIG)-[0-9a-f-]+)$/.test(name)))],
    nodes: [...new Set(values('path').filter((path) => path.startsWith('/dev/nvidia')))],
  }
}
