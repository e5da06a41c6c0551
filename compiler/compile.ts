import type { Layout } from '../schemas/deploy/layout.ts'
import { pathText } from '../schemas/spec/path.ts'
import type { Target } from '../schemas/words/targets.ts'
import type { Tree } from '../syntax/tree.ts'
import { type Diagnostic, type Finding, locate, sortDiagnostics } from './diagnostic.ts'
import type { Emission, EmitOptions, OutputFile, Version } from './emit/output.ts'
import { readme } from './emit/readme.ts'
import { TARGETS } from './emit/targets.ts'
import { checkVersions, DEFAULT_OPTIONS } from './emit/versions.ts'
import { allocate } from './ir/allocation.ts'
import { findCollisions } from './ir/collisions.ts'
import type { Deployment } from './ir/deployment.ts'
import { lower } from './ir/lower.ts'
import { lockFile, readLock } from './lock.ts'
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
  /**
   * Keys of the daemon's configuration (schemas/config/config.ts, spelled as there) that lie over what the spec gives.
   * They were checked against its schema and hold no secret.
   */
  readonly settings?: Tree
}

export type Compiled = {
  readonly kind: 'compiled'
  /** What to write, gate.lock.json included; ordered by path. */
  readonly files: readonly OutputFile[]
  readonly deployment: Deployment
  /** The text and where everything is in it. */
  readonly source: Source
  /** Warnings only. */
  readonly diagnostics: readonly Diagnostic[]
}

/** At least one error; warnings may be among them. */
export type Refused = { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }

/** Turns the text of a spec into the files of the wanted targets, or says everything that is wrong with it. */
export function compile(text: string, options: CompileOptions): Compiled | Refused {
  const document = parseDocument(text, options.file ?? 'gate.toml')
  if (!('source' in document)) return { kind: 'refused', diagnostics: document.diagnostics }
  const { value, source } = document
  const { spec, written, findings: typeFindings } = readSpec(value)
  const diagnose = (findings: readonly Finding[]): Diagnostic[] =>
    sortDiagnostics([...document.diagnostics, ...findings.map((finding) => locate(finding, source))])
  if (spec === undefined) return { kind: 'refused', diagnostics: diagnose(typeFindings) }

  const { lock, findings: lockFindings } = readLock(options.lock)
  const allocation = allocate(spec, lock, options.seed ?? '')
  const deployment = lower(spec, allocation, written)
  const { podman, systemd, layout, settings } = DEFAULT_OPTIONS
  const emitOptions: EmitOptions = {
    podman: options.podman ?? podman,
    systemd: options.systemd ?? systemd,
    layout: options.layout ?? layout,
    settings: options.settings ?? settings,
  }
  const findings = [
    ...typeFindings,
    ...lockFindings,
    ...resolve(spec, definedNames(value)).filter((finding) => !isCutOut(finding, typeFindings)),
    ...allocation.findings,
    // what got no number has none to collide with
    ...(allocation.findings.length === 0 ? findCollisions(deployment) : []),
    ...checkVersions(emitOptions),
  ]
  const before = diagnose(findings)
  if (before.some(isError)) return { kind: 'refused', diagnostics: before }

  const emitted = emit(deployment, options.targets, emitOptions)
  const diagnostics = diagnose([...findings, ...emitted.findings])
  if (diagnostics.some(isError)) return { kind: 'refused', diagnostics }
  const files = [...emitted.files, lockFile(allocation.lock)].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { kind: 'compiled', files, deployment, source, diagnostics }
}

/** A model that is written wrong is not missing. */
function isCutOut({ code, path }: Finding, wrong: readonly Finding[]): boolean {
  const model = pathText([...path, 'model'])
  return code === 'ENGINE_NEEDS_MODEL' && wrong.some((one) => pathText(one.path) === model)
}

function emit(deployment: Deployment, targets: readonly Target[], options: EmitOptions): Emission {
  const emissions = targets.map((target) => ({ target, ...TARGETS[target](deployment, options) }))
  const files = emissions.flatMap(({ target, files: own }) =>
    own.length === 0 ? [] : [...own, readme(target, own, deployment.prefix)],
  )
  return { files, findings: distinct(emissions.flatMap(({ findings }) => findings)) }
}

/** One target may carry what another makes, and then says the same. */
function distinct(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()]
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error'
