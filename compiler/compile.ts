import { DEBIAN_LAYOUT, type Layout } from '../schemas/deploy/layout.ts'
import { LOCK_FILE, type Lock, lockSchema } from '../schemas/deploy/lock.ts'
import type { Target } from '../schemas/words/targets.ts'
import { NEWEST_PODMAN, OLDEST_PODMAN } from './catalog/podman-keys.ts'
import { type Diagnostic, type Finding, locate, sortDiagnostics } from './diagnostic.ts'
import type { EmitOptions, OutputFile, Version } from './emit/output.ts'
import { isBefore } from './emit/output.ts'
import { readme } from './emit/readme.ts'
import { TARGETS } from './emit/targets.ts'
import { allocate, EMPTY_LOCK } from './ir/allocation.ts'
import { findCollisions } from './ir/collisions.ts'
import type { Deployment } from './ir/deployment.ts'
import { lower } from './ir/lower.ts'
import { parseDocument } from './parse/document.ts'
import type { Source } from './parse/source.ts'
import { readSpec } from './parse/spec.ts'
import { definedNames } from './resolve/names.ts'
import { resolve } from './resolve/resolve.ts'

export type CompileOptions = {
  readonly targets: readonly Target[]
  /** Name of the spec in diagnostics. */
  readonly file?: string
  /** Text of gate.lock.json; absent on a first run. */
  readonly lock?: string
  /** What makes random ports of this host differ from another's; used for ports that the lock does not know. */
  readonly seed?: string
  readonly podman?: Version
  /** Major version of systemd. */
  readonly systemd?: number
  /** Debian's when absent. */
  readonly layout?: Layout
}

export type Compiled = {
  readonly kind: 'compiled'
  /** What to write, gate.lock.json included; ordered by path. */
  readonly files: readonly OutputFile[]
  readonly deployment: Deployment
  /** The text and where everything stands in it. */
  readonly source: Source
  /** Warnings only. */
  readonly diagnostics: readonly Diagnostic[]
}

/** At least one error; warnings stand among them. */
export type Refused = { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

/** Debian 13. */
const DEFAULTS = { podman: { major: 5, minor: 4 }, systemd: 257 } as const

/** Turns the text of a spec into the files of the wanted targets, or says everything that is wrong with it. */
export function compile(text: string, options: CompileOptions): Compiled | Refused {
  const document = parseDocument(text, options.file ?? 'gate.toml')
  if (!('source' in document)) return { kind: 'refused', diagnostics: document.diagnostics }
  const { value, source } = document
  const read = readSpec(value)
  const findings: Finding[] = [...read.findings]
  const report = (): Diagnostic[] =>
    sortDiagnostics([...document.diagnostics, ...findings.map((finding) => locate(finding, source))])
  if (read.spec === undefined) return { kind: 'refused', diagnostics: report() }

  const lock = readLock(options.lock)
  if (lock === undefined) findings.push(LOCK_INVALID)
  findings.push(...resolve(read.spec, definedNames(value)))
  const allocation = allocate(read.spec, lock ?? EMPTY_LOCK, options.seed ?? '')
  const deployment = lower(read.spec, allocation, read.written)
  findings.push(...allocation.findings, ...findCollisions(deployment))

  const emitOptions: EmitOptions = {
    podman: options.podman ?? DEFAULTS.podman,
    systemd: options.systemd ?? DEFAULTS.systemd,
    layout: options.layout ?? DEBIAN_LAYOUT,
  }
  findings.push(...checkVersions(emitOptions))
  if (report().some(isError)) return { kind: 'refused', diagnostics: report() }

  const emissions = options.targets.map((target) => TARGETS[target](deployment, emitOptions))
  findings.push(...distinct(emissions.flatMap((emission) => emission.findings)))
  const diagnostics = report()
  if (diagnostics.some(isError)) return { kind: 'refused', diagnostics }
  const made = emissions.flatMap(({ files: own }, i) => {
    const target = options.targets[i]
    return target === undefined || own.length === 0 ? [] : [...own, readme(target, own, deployment.prefix)]
  })
  const files = [...made, lockFile(allocation.lock)]
  return { kind: 'compiled', files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), deployment, source, diagnostics }
}

/** One target may carry what another makes, and then says the same. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error'

const LOCK_INVALID: Finding = {
  code: 'INVALID_LOCK',
  path: [],
  message: 'gate.lock.json is not what this compiler wrote',
  hint: 'restore it from a backup; without it, users and ports are chosen anew',
}

function readLock(text: string | undefined): Lock | undefined {
  if (text === undefined) return EMPTY_LOCK
  try {
    return lockSchema.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function lockFile(lock: Lock): OutputFile {
  const text = `${JSON.stringify(lock, null, 2)}\n`
  return {
    path: LOCK_FILE,
    mode: 0o644,
    text,
    origins: text
      .trimEnd()
      .split('\n')
      .map(() => ''),
  }
}

function checkVersions({ podman, systemd }: EmitOptions): Finding[] {
  const findings: Finding[] = []
  if (isBefore(podman, OLDEST_PODMAN) || isBefore(NEWEST_PODMAN, podman))
    findings.push({ code: 'UNSUPPORTED_VERSION', path: [], message: 'podman must be from 4.4 to 5.8' })
  if (systemd < OLDEST_SYSTEMD)
    findings.push({ code: 'UNSUPPORTED_VERSION', path: [], message: `systemd must be ${OLDEST_SYSTEMD} or newer` })
  return findings
}

/** socket-proxyd's --exit-idle-time came with 246, Debian 12 has 252. */
const OLDEST_SYSTEMD = 252
