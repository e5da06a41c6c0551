// Builds the Debian package: node scripts/package-deb.ts [--out DIR] [--version 1.2.3] [--quick].
// Made of the staged tree of stage.ts and of packaging/debian/. The same sources and SOURCE_DATE_EPOCH give the same
// bytes; without that variable the time of the last commit is taken.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { packageVersion } from '../system/version.ts'
import { changelog, control, copyright, lintianOverrides } from './debian-texts.ts'
import { productionPackages, stage } from './stage.ts'

const root = join(import.meta.dirname, '..')
const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm']
/** What is compiled at installation, and optional there. */
const TERMINALS = 'usr/lib/gate/node_modules/node-pty/build/Release/pty.node'
const CONFFILES = ['/etc/gate/gate.env']
/** Debian's names of Node's architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

export type PackageOptions = {
  /** Where the package goes. */
  readonly out: string
  /** Instead of the version of package.json; tests build a later one with it. */
  readonly version?: string
  /** Compressed in seconds instead of to the last byte; for tests. */
  readonly quick?: boolean
  /** A tree of stage.ts to take, instead of compiling. */
  readonly staged?: string
  /** Told what is being done, since it takes minutes. */
  readonly say?: (what: string) => void
}

/**
 * Builds `gate_<version>_<arch>.deb`.
 * @returns its path
 * @throws Error when the sources do not compile, or dpkg-deb fails
 */
export function packageDeb(options: PackageOptions): string {
  const { out, version = packageVersion(), quick = false, staged, say = () => {} } = options
  const architecture = ARCHITECTURES[process.arch]
  if (architecture === undefined) throw new Error(`no Debian package for ${process.arch}: only x64 and arm64`)
  const epoch = sourceDate()
  const dir = mkdtempSync(join(tmpdir(), 'gate-deb-'))
  try {
    chmodSync(dir, 0o755)
    say('compiling, and laying out programs, Node, manual pages')
    if (staged === undefined) stage(dir, new Date(epoch * 1000))
    else cpSync(staged, dir, { recursive: true })
    if (!existsSync(join(dir, TERMINALS)))
      console.warn(
        `${TERMINALS} is missing: "gatectl backend shell" will not work; install make, g++ and npm packages again`,
      )
    setVersion(join(dir, 'usr/lib/gate/package.json'), version)
    const doc = join(dir, 'usr/share/doc/gate')
    writeFileSync(join(doc, 'copyright'), copyright(root, productionPackages()))
    writeFileSync(join(doc, 'changelog.gz'), gzip(readFileSync(join(root, 'CHANGELOG.md'))))
    writeFileSync(join(doc, 'changelog.Debian.gz'), gzip(changelog(version, new Date(epoch * 1000))))
    write(join(dir, 'usr/share/lintian/overrides'), 'gate', lintianOverrides())
    write(join(dir, 'etc/gate'), 'gate.env', readFileSync(join(root, 'packaging/debian/gate.env'), 'utf8'))
    const bytes = normalize(dir)
    writeControl(join(dir, 'DEBIAN'), control({ version, architecture, installedKib: Math.ceil(bytes / 1024) }))
    mkdirSync(out, { recursive: true })
    const file = join(out, `gate_${version}_${architecture}.deb`)
    const compression = quick ? ['-Zgzip', '-z1'] : ['-Zxz']
    say(`packing ${Math.round(bytes / 2 ** 20)} MiB${quick ? '' : ' with xz, a minute or two'}`)
    dpkgDeb(['--root-owner-group', ...compression, '--build', dir, file], epoch)
    return file
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** Seconds since 1970. @see https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDate(): number {
  const given = process.env['SOURCE_DATE_EPOCH']
  if (given !== undefined && /^\d+$/.test(given)) return Number(given)
  const { stdout, status } = spawnSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' })
  if (status === 0) return Number(stdout)
  throw new Error('no commit to take the date from: set SOURCE_DATE_EPOCH')
}

/** What `gatectl --version` says. */
function setVersion(file: string, version: string): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/^( *"version": ").*(",?)$/m, `$1${version}$2`))
}

const gzip = (content: string | Buffer): Buffer => gzipSync(content, { level: 9 })

function write(dir: string, name: string, text: string): void {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, name), text)
}

function writeControl(dir: string, text: string): void {
  write(dir, 'control', text)
  write(dir, 'conffiles', `${CONFFILES.join('\n')}\n`)
  for (const script of MAINTAINER_SCRIPTS) {
    cpSync(join(root, 'packaging/debian', script), join(dir, script))
    chmodSync(join(dir, script), 0o755)
  }
  for (const file of ['control', 'conffiles']) chmodSync(join(dir, file), 0o644)
  chmodSync(dir, 0o755)
}

/** Modes do not depend on the umask of who builds: only programs can be executed. @returns bytes of all files */
function normalize(dir: string): number {
  return readdirSync(dir, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) {
      chmodSync(path, 0o755)
      return sum + normalize(path)
    }
    if (!entry.isSymbolicLink()) chmodSync(path, isProgram(path) ? 0o755 : isForRoot(path) ? 0o600 : 0o644)
    return sum + lstatSync(path).size
  }, 0)
}

/** An administrator will write a secret into it, whatever it says. */
const isForRoot = (path: string): boolean => path.endsWith('/etc/gate/gate.env')

const isProgram = (path: string): boolean => /\/usr\/(?:bin\/[^/]+|lib\/gate\/node)$/.test(path)

function dpkgDeb(args: readonly string[], epoch: number): void {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) }
  const { status, stderr, error } = spawnSync('dpkg-deb', args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`dpkg-deb failed: ${stderr ?? error?.message}`)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: 'dist-deb' },
      version: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  })
  const { out, version, quick } = values
  const startMs = performance.now()
  const say = (what: string) =>
    console.error(`${((performance.now() - startMs) / 1000).toFixed(0).padStart(4)} s  ${what}`)
  console.log(packageDeb({ out, quick, say, ...(version !== undefined && { version }) }))
}
