import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { quadletDirectory, userUnitDirectory } from '../../compiler/ir/names.ts'
import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'
import { holdDirectory } from '../../system/held-directory.ts'
import { temporaryFolder } from '../../system/own-path.ts'
import { localHost } from '../host.ts'
import { deployDirectory } from '../plan/desired.ts'
import { type BundleFacts, type BundleFile, bundleFiles } from './bundle-files.ts'
import type { Subject } from './check.ts'
import { readSecrets } from './known-secrets.ts'
import { namesIn, readText, runProgram, runtimeConfigText, statPath, textOf } from './look.ts'

/** What the caller of `writeBundle` has already. */
export type BundleInput = Pick<BundleFacts, 'page' | 'json' | 'spec'>

const DEADLINE_MS = 60_000
const LOG_LINES = 300

/**
 * Writes the archive for a bug report: a new file that only its owner can read. Nothing is left over when it fails, and
 * the owner of the directory cannot lead it to another file.
 * @throws Error EEXIST when the file is there; Error with what tar said
 */
export async function writeBundle(file: string, input: BundleInput, subject: Subject): Promise<void> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const path = resolve(file)
  const place = holdDirectory(dirname(path))
  try {
    await writeArchive(`${place.at}/${basename(path)}`, input, subject, signal)
  } finally {
    place.release()
  }
}

async function writeArchive(path: string, input: BundleInput, subject: Subject, signal: AbortSignal): Promise<void> {
  const archive = await open(path, 'wx', 0o600)
  try {
    const files = bundleFiles({ ...input, ...(await collect(subject, signal)) })
    await pack(files, archive.fd, signal)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await archive.close()
  }
}

/** @param to open file that the archive is written to @throws Error what tar said */
async function pack(files: readonly BundleFile[], to: number, signal: AbortSignal): Promise<void> {
  const directory = await mkdtemp(join(temporaryFolder(), 'gate-doctor-'))
  try {
    await layOut(join(directory, 'gate-doctor'), files)
    const options = ['--owner=root', '--group=root', '--sort=name']
    const ran = await localHost().ask(
      ['tar', '--create', '--gzip', ...options, '--file=-', `--directory=${directory}`, 'gate-doctor'],
      { signal, outputTo: to },
    )
    if (ran.code !== 0) throw new Error(`tar: ${ran.stderr.trim() || `exit code ${ran.code}`}`)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function layOut(directory: string, files: readonly BundleFile[]): Promise<void> {
  for (const { path, text } of files) {
    const place = join(directory, path)
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await writeFile(place, text, { mode: 0o600 })
  }
}

async function collect(subject: Subject, signal: AbortSignal): Promise<Omit<BundleFacts, keyof BundleInput>> {
  const { names } = subject
  const optional = async (path: string) => {
    const seen = await readText(path)
    return seen.kind === 'seen' ? seen.value : undefined
  }
  const [versions, declared, runtime, manifest, units, logs, secrets] = await Promise.all([
    readVersions(subject, signal),
    optional(names.declaredConfig),
    runtimeConfigText(names.stateDirectory),
    optional(`${deployDirectory(names.prefix)}/current/manifest.json`),
    readUnits(subject),
    readLogs(subject, signal),
    readSecrets(subject),
  ])
  return { versions, declared, runtime, manifest, units, logs, secrets }
}

async function readVersions({ version }: Subject, signal: AbortSignal): Promise<Record<string, string>> {
  const asked = [
    ['uname', '--all'],
    ['systemctl', '--version'],
    ['podman', '--version'],
    ['crun', '--version'],
    ['pasta', '--version'],
  ]
  const said = await Promise.all(
    asked.map(async (argv) => [argv[0] ?? '', (await runProgram(argv, signal)).stdout] as const),
  )
  return {
    gatectl: version,
    node: process.version,
    'os-release': await textOf('/etc/os-release'),
    ...Object.fromEntries(said),
  }
}

/** Unit files of Gate: of the system with their drop-ins, the quadlets, and the plain units of backend users. */
async function readUnits({ deployment, names }: Subject): Promise<Record<string, string>> {
  const isOurs = (name: string) => name.startsWith(`${names.prefix}-`) || name === 'user@.service.d'
  const system = await Promise.all(
    [DEBIAN_LAYOUT.directories.units, '/usr/lib/systemd/system'].map(async (folder) => {
      const own = (await namesIn(folder)).filter(isOurs).map((name) => `${folder}/${name}`)
      return (await Promise.all(own.map(below))).flat()
    }),
  )
  const users = await Promise.all(
    (deployment?.users ?? []).flatMap(({ uid, home }) => [
      ...(uid === undefined ? [] : [below(quadletDirectory(uid))]),
      below(userUnitDirectory(home)),
    ]),
  )
  const paths = [...new Set([...system, ...users].flat())]
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await textOf(path)] as const)))
}

/** A file itself, or the files of a directory and of its directories. */
async function below(path: string): Promise<string[]> {
  const seen = await statPath(path)
  if (seen.kind !== 'seen') return []
  if (!seen.value.isDirectory()) return [path]
  const inside = await namesIn(path)
  return (await Promise.all(inside.map(async (name) => below(`${path}/${name}`)))).flat()
}

async function readLogs({ deployment, names }: Subject, signal: AbortSignal): Promise<Record<string, string>> {
  const journal = async (name: string, ...match: string[]) =>
    [
      name,
      (
        await runProgram(
          ['journalctl', '--quiet', '--no-pager', '--output=short-iso', `--lines=${LOG_LINES}`, ...match],
          signal,
        )
      ).stdout,
    ] as const
  const users = (deployment?.users ?? []).flatMap(({ name, uid }) =>
    uid === undefined ? [] : [journal(name, `_UID=${uid}`)],
  )
  return Object.fromEntries(await Promise.all([journal(names.daemonUnit, '--unit', `${names.prefix}-*`), ...users]))
}
