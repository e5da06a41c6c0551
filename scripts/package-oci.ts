// Writes Gate as a container image: node scripts/package-oci.ts [--out DIR] [--arch amd64|arm64] [--quick].
// Needs no registry and no container engine. The image holds Node, Gate and the shared libraries that Node needs,
// nothing else: no shell, no package manager. For another architecture than this machine's, Debian's and npm's packages
// of it are fetched.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageVersion } from '../system/version.ts'
import { writeOciArchive } from './oci-archive.ts'
import { stage } from './stage.ts'

const root = join(import.meta.dirname, '..')

/** OCI's names of architectures -> Node's. */
const ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' } as const
export type Architecture = keyof typeof ARCHITECTURES
/** Packages of Debian with the shared libraries that Node needs. */
const LIBRARIES = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1']
/** As the targets compose and launchd call the image when the spec names none. */
const IMAGE = 'localhost/gate:latest'
/** Nobody's account on any host; volumes must be writable for it. */
const USER_ID = 65_532

/**
 * Builds `gate_<version>_<arch>.oci.tar`, the image `localhost/gate:latest`.
 * @returns the path and the digest
 * @throws Error when the sources do not compile, or packages of another architecture cannot be had
 */
export function packageOci(options: {
  readonly out: string
  readonly architecture?: Architecture
  /** Uncompressed; for tests. */
  readonly quick?: boolean
}): { readonly file: string; readonly digest: string } {
  const own = ownArchitecture()
  const { out, architecture = own, quick = false } = options
  const dir = mkdtempSync(join(tmpdir(), 'gate-oci-root-'))
  try {
    chmodSync(dir, 0o755)
    layGate(dir, ARCHITECTURES[architecture])
    if (architecture === own) layOwnLibraries(dir)
    else layForeign(dir, architecture)
    layEnvironment(dir)
    mkdirSync(out, { recursive: true })
    const version = packageVersion()
    const file = join(out, `gate_${version}_${architecture}.oci.tar`)
    const digest = writeOciArchive(file, {
      name: IMAGE,
      architecture,
      root: dir,
      owners: { data: USER_ID },
      compress: !quick,
      config: {
        // what it prints is the log of the container, which others read and which is kept
        Entrypoint: ['/usr/bin/gate-daemon', '--no-first-key'],
        Cmd: ['--config', '/config/config.toml'],
        Env: ['PATH=/usr/bin', 'STATE_DIRECTORY=/data', 'HOME=/data'],
        User: `${USER_ID}:${USER_ID}`,
        WorkingDir: '/data',
        StopSignal: 'SIGTERM',
        ExposedPorts: { '3000/tcp': {} },
        Volumes: { '/data': {} },
        Labels: { 'org.opencontainers.image.title': 'gate', 'org.opencontainers.image.version': version },
      },
    })
    return { file, digest }
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function ownArchitecture(): Architecture {
  const found = Object.entries(ARCHITECTURES).find(([, node]) => node === process.arch)
  if (found === undefined)
    throw new Error(`no image for ${process.arch}: only ${Object.keys(ARCHITECTURES).join(', ')}`)
  return found[0] as Architecture
}

/** /usr/lib/gate and the commands, which start without a shell. */
function layGate(dir: string, arch: string): void {
  stage(dir, new Date(0), arch)
  rmSync(join(dir, 'usr/share'), { recursive: true })
  for (const folder of ['systemd', 'sysusers.d', 'tmpfiles.d'])
    rmSync(join(dir, 'usr/lib', folder), { recursive: true, force: true })
  symlinkSync('../lib/gate/node', join(dir, 'usr/bin/node'))
  for (const command of ['gate-daemon', 'gate-relay', 'gatectl', 'gate-agent']) {
    const link = join(dir, 'usr/bin', command)
    rmSync(link)
    if (command === 'gate-agent') continue // orders systemd, which no container has
    const program = join(dir, 'usr/lib/gate/dist/bin', `${command}.js`)
    writeFileSync(program, `#!/usr/bin/node\n${readFileSync(program, 'utf8').replace(/^#!.*\n/, '')}`)
    chmodSync(program, 0o755)
    symlinkSync(`../lib/gate/dist/bin/${command}.js`, link)
  }
}

/** What a program looks for in every root, and the layer that says where to listen inside of a container. */
function layEnvironment(dir: string): void {
  for (const path of ['config', 'data', 'etc/gate', 'tmp', 'proc', 'sys', 'dev', 'run'])
    mkdirSync(join(dir, path), { recursive: true })
  chmodSync(join(dir, 'tmp'), 0o1777)
  chmodSync(join(dir, 'data'), 0o700)
  writeFileSync(join(dir, 'etc/passwd'), `root:x:0:0::/:/nologin\ngate:x:${USER_ID}:${USER_ID}::/data:/nologin\n`)
  writeFileSync(join(dir, 'etc/group'), `root:x:0:\ngate:x:${USER_ID}:\n`)
  writeFileSync(join(dir, 'etc/gate/declared.json'), '{ "server": { "host": "0.0.0.0" } }\n')
}

/** The libraries that the Node of this machine is linked with, under the paths where it looks for them. @see ldd(1) */
function layOwnLibraries(dir: string): void {
  const text = execFileSync('ldd', [join(dir, 'usr/lib/gate/node')], { encoding: 'utf8' })
  for (const [, path = ''] of text.matchAll(/(\/\S+) \(0x/g)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    copyFileSync(realpathSync(path), join(dir, path))
  }
}

/** Node and the libraries of another architecture, from npm and Debian. */
function layForeign(dir: string, architecture: Architecture): void {
  const work = mkdtempSync(join(tmpdir(), 'gate-oci-foreign-'))
  try {
    const version = JSON.parse(readFileSync(join(root, 'node_modules/node/package.json'), 'utf8')) as {
      version: string
    }
    const wanted = `node-linux-${ARCHITECTURES[architecture]}@${version.version}`
    const [archive = ''] = run('npm', ['pack', '--silent', wanted], work).trim().split('\n').slice(-1)
    run('tar', ['-xf', archive, 'package/bin/node'], work)
    renameSync(join(work, 'package/bin/node'), join(dir, 'usr/lib/gate/node'))
    chmodSync(join(dir, 'usr/lib/gate/node'), 0o755)
    layDebianLibraries(dir, architecture, work)
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Fetches packages with a state of apt's own, so that nothing changes on this machine. */
function layDebianLibraries(dir: string, architecture: Architecture, work: string): void {
  if (!existsSync('/etc/debian_version'))
    throw new Error(`libraries of ${architecture} come from Debian's packages: build this image on Debian`)
  for (const path of ['state/lists/partial', 'cache/archives/partial', 'debs'])
    mkdirSync(join(work, path), { recursive: true })
  writeFileSync(join(work, 'status'), '')
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${work}/state`,
    `Dir::State::status=${work}/status`,
    `Dir::Cache=${work}/cache`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  run('apt-get', [...options, '-qq', 'update'], work)
  run('apt-get', [...options, '-qq', 'download', ...LIBRARIES], join(work, 'debs'))
  for (const deb of readdirSync(join(work, 'debs')))
    run('dpkg-deb', ['-x', join(work, 'debs', deb), join(work, 'tree')], work)
  for (const path of filesBelow(join(work, 'tree'))) {
    if (!/\.so(?:\.\d+)*$/.test(path) || /\/(?:gconv|audit)\//.test(path)) continue
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    copyFileSync(realpathSync(join(work, 'tree', path)), join(dir, path))
  }
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length))
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'dist-oci' },
      arch: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  })
  const { out, arch, quick } = values
  if (arch !== undefined && !(arch in ARCHITECTURES))
    throw new Error(`--arch is one of: ${Object.keys(ARCHITECTURES).join(', ')}`)
  const { file, digest } = packageOci({ out, quick, ...(arch !== undefined && { architecture: arch as Architecture }) })
  console.log(`${file}\n${digest}\npodman load --input ${file}`)
}
