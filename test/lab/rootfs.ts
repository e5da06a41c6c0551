import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const SUITE = 'trixie'
const environment: { readonly GATE_LAB?: string; readonly GATE_LAB_CACHE?: string; readonly PATH?: string } =
  process.env
/**
 * What a host needs that Gate deploys to, and what the tests look at it with. One list, so one tree, for all of them.
 */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'systemd-container',
  'dbus',
  'dbus-user-session',
  'libpam-systemd',
  'polkitd',
  'podman',
  'uidmap',
  'passt',
  'crun',
  'catatonit',
  'netavark',
  'aardvark-dns',
  'nginx-light',
  'caddy',
  'dnsmasq-base',
  'iproute2',
  'nftables',
  'ca-certificates',
  'openssl',
  'sudo',
  'busybox-static',
  'curl',
  'procps',
]
/** Units that would need devices or kernel settings that a lab does not have. */
const MASKED = [
  'apt-daily-upgrade.timer',
  'apt-daily.timer',
  'dev-hugepages.mount',
  'getty.target',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-modules-load.service',
  'systemd-sysctl.service',
  'systemd-udevd.service',
]
/** Units that Debian enables and a lab starts only when a test asks for them. */
const DISABLED = ['nginx.service', 'caddy.service']
const PROGRAMS = ['debootstrap', 'unshare', 'nsenter', 'setpriv', 'mount', 'umount', 'pivot_root', 'hostname']

/** Where root file systems are kept between runs. */
export const cacheDir = environment.GATE_LAB_CACHE ?? '/var/cache/gate-lab'

/** A root file system to boot, or why this machine cannot have one. */
export type Rootfs =
  | { readonly kind: 'ready'; readonly dir: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

/**
 * Finds the Debian 13 root file system in the cache, or builds it there (about a minute).
 * With GATE_LAB=required a machine that cannot is an error.
 */
export async function prepareRootfs(): Promise<Rootfs> {
  const reason = whyImpossible()
  const rootfs: Rootfs = reason === undefined ? await buildRootfs() : { kind: 'unavailable', reason }
  if (rootfs.kind === 'unavailable' && environment.GATE_LAB === 'required') throw new Error(rootfs.reason)
  return rootfs
}

function whyImpossible(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux'
  if (process.getuid?.() !== 0) return 'not root'
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  if (!/^ID="?debian"?$/m.test(release)) return 'not Debian'
  const missing = PROGRAMS.filter((name) => !isInstalled(name))
  if (missing.length > 0) return `no ${missing.join(', ')}`
  const namespaces = ['--mount', '--pid', '--fork', '--cgroup', '--net', '--uts', '--ipc', 'true']
  if (spawnSync('unshare', namespaces).status !== 0) return 'no namespaces'
  const cgroup = cgroupRoot()
  if (cgroup === undefined) return 'no cgroup 2 file system'
  try {
    accessSync(cgroup, constants.W_OK)
  } catch {
    return 'the cgroup 2 file system is read-only'
  }
  return undefined
}

function isInstalled(program: string): boolean {
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => existsSync(join(folder, program)))
}

/** Where cgroup 2 is mounted on this host, if anywhere. */
export function cgroupRoot(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(
    (dir) => existsSync(join(dir, 'cgroup.procs')) && existsSync(join(dir, 'cgroup.controllers')),
  )
}

async function buildRootfs(): Promise<Rootfs> {
  const key = createHash('sha256')
    .update(JSON.stringify([SUITE, PACKAGES, MASKED, DISABLED]))
    .digest('hex')
    .slice(0, 12)
  const dir = join(cacheDir, `${SUITE}-${key}`)
  if (existsSync(dir)) return { kind: 'ready', dir }
  const mirror = debianMirror()
  if (mirror === undefined) return { kind: 'unavailable', reason: 'no Debian mirror in the apt sources' }
  // built under a name of its own, then renamed: what is there under the final name is whole
  const partial = `${dir}.${process.pid}`
  mkdirSync(cacheDir, { recursive: true })
  try {
    const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, partial, mirror]
    const problem = await debootstrap(args)
    if (problem !== undefined) return { kind: 'unavailable', reason: `debootstrap failed: ${problem}` }
    const units = join(partial, 'etc/systemd/system')
    for (const unit of MASKED) symlinkSync('/dev/null', join(units, unit))
    for (const unit of DISABLED) rmSync(join(units, 'multi-user.target.wants', unit), { force: true })
    // a boot copies /var/lib
    for (const dir of ['var/cache/apt/archives', 'var/lib/apt/lists'])
      rmSync(join(partial, dir), { recursive: true, force: true })
    if (!existsSync(dir)) renameSync(partial, dir)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
  return { kind: 'ready', dir }
}

/** @returns what went wrong */
async function debootstrap(args: readonly string[]): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', PATH: `${environment.PATH}:/usr/sbin:/sbin` }
  try {
    // its mounts must not outlive it, whatever ends it
    const alone = ['--mount', '--propagation', 'private', 'debootstrap', ...args]
    await promisify(execFile)('unshare', alone, { env, maxBuffer: 2 ** 26 })
    return undefined
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return `${stdout}${stderr}`.trimEnd().split('\n').at(-1) ?? String(error)
  }
}

/** The first archive of Debian itself in this machine's apt sources. */
export function debianMirror(): string | undefined {
  const files = ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*.{list,sources}').sort()]
  return files
    .filter((file) => existsSync(file))
    .flatMap((file) => aptSources(file, readFileSync(file, 'utf8')))
    .find(({ uri, suites, components }) => isDebianArchive(uri, suites, components))?.uri
}

const RELEASES = /^(?:buster|bullseye|bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/

function isDebianArchive(uri: string, suites: readonly string[], components: readonly string[]): boolean {
  return /^https?:|^file:/.test(uri) && suites.some((suite) => RELEASES.test(suite)) && components.includes('main')
}

export type AptSource = {
  readonly uri: string
  readonly suites: readonly string[]
  readonly components: readonly string[]
}

/** Reads one-line (`.list`) and deb822 (`.sources`) files. @see sources.list(5) */
export function aptSources(file: string, text: string): AptSource[] {
  return file.endsWith('.sources') ? deb822Sources(text) : oneLineSources(text)
}

function oneLineSources(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)([^#]*)/.exec(line)
    if (match === null) return []
    const [, uri = '', suite = '', components = ''] = match
    return [{ uri, suites: [suite], components: words(components) }]
  })
}

function deb822Sources(text: string): AptSource[] {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    // a line that begins with a space continues the field above
    const fields = new Map(
      stanza
        .replace(/\n[ \t]+/g, ' ')
        .split('\n')
        .map((line) => [line.split(':', 1)[0]?.trim().toLowerCase() ?? '', words(line.slice(line.indexOf(':') + 1))]),
    )
    if (!fields.get('types')?.includes('deb') || fields.get('enabled')?.[0] === 'no') return []
    const suites = fields.get('suites') ?? []
    const components = fields.get('components') ?? []
    return (fields.get('uris') ?? []).map((uri) => ({ uri, suites, components }))
  })
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')
