import { existsSync } from 'node:fs'
import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { gatewayNames } from '../../../compiler/ir/names.ts'
import { writeBundle } from '../../../host/doctor/bundle.ts'
import type { DaemonView, SpecState, Subject, TlsView } from '../../../host/doctor/check.ts'
import { CHECKS } from '../../../host/doctor/checks.ts'
import { examine, type Report } from '../../../host/doctor/doctor.ts'
import { presentUsers } from '../../../host/doctor/look.ts'
import { localHost } from '../../../host/host.ts'
import { reasonOf } from '../../../host/problem.ts'
import type { TlsStatus } from '../../../schemas/admin-tls.ts'
import type { Explanation } from '../../../schemas/config/layers.ts'
import { packageVersion } from '../../../system/version.ts'
import { Failure, failure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { findingJson, type Mark, plain } from '../../output/finding-lines.ts'
import { coloured, reportText } from '../../output/report-text.ts'
import { compileInput, HOST_SPEC, readSpecInput } from '../spec/spec-input.ts'
import { isDeployed } from './deployment.ts'

/** The daemon answers from memory; one that takes longer is in trouble. */
const DAEMON_TIMEOUT_MS = 5_000
const LATE = `the daemon did not answer within ${DAEMON_TIMEOUT_MS / 1_000} s`

export const run: Run = async (invocation) => {
  const { json, print, printJson } = invocation
  const subject = await subjectOf(invocation)
  const bundle = invocation.text('bundle')
  if (bundle !== undefined && existsSync(bundle))
    throw notWritten(bundle, 'it already exists', 'name another file, or remove it')
  const report = await examine(checksNamed(invocation.text('only')), subject)
  if (json)
    printJson({ healthy: report.counts.fail === 0, counts: report.counts, findings: report.findings.map(findingJson) })
  else print(pageText(report, subject.isRoot, coloured(invocation.stdout)))
  if (bundle !== undefined) await bundleInto(bundle, report, invocation, subject)
  return report.counts.fail === 0 ? 0 : 3
}

/** @throws Failure for the name of no check */
function checksNamed(name: string | undefined): typeof CHECKS {
  if (name === undefined) return CHECKS
  const checks = CHECKS.filter((check) => check.name === name)
  if (checks.length > 0) return checks
  const problem = { type: 'about:blank', title: 'Unknown check', status: 400, code: 'BAD_REQUEST' } as const
  const hint = `one of ${CHECKS.map((check) => check.name).join(', ')}`
  throw new Failure({ ...problem, detail: `there is no check "${name}"`, hint })
}

async function bundleInto(file: string, report: Report, { note }: Invocation, subject: Subject): Promise<void> {
  const { spec } = subject
  const input = {
    page: pageText(report, subject.isRoot, plain),
    json: JSON.stringify(report, null, 2),
    spec: spec.kind === 'none' ? undefined : { text: spec.text, compiles: spec.kind === 'compiled' },
  }
  try {
    await writeBundle(file, input, subject)
  } catch (error) {
    throw notWritten(file, reasonOf(error), 'name a file that you can write to', error)
  }
  note(`${file} written, for a bug report; secrets are taken out, but look through it before you send it`)
}

function notWritten(file: string, reason: string, hint: string, cause?: unknown): Failure {
  return failure('FILE_NOT_WRITTEN', `${file}: ${reason}`, { hint, cause })
}

async function subjectOf(invocation: Invocation): Promise<Subject> {
  const { spec, deployment } = await readSpec(invocation)
  return {
    names: deployment?.names ?? gatewayNames(undefined),
    spec,
    deployment,
    isApplied: deployment === undefined || isMade(deployment),
    isRoot: invocation.isRoot,
    env: invocation.env,
    version: packageVersion(),
    daemon: askDaemon(invocation),
  }
}

/** By `gatectl apply`, or in another way that leaves accounts. */
function isMade({ names, users, containers }: Deployment): boolean {
  if (containers.length === 0 || isDeployed(localHost(), names.prefix)) return true
  const made = new Set(presentUsers({ users }).map(({ name }) => name))
  return containers.some(({ user }) => made.has(user))
}

type ReadSpec = { readonly spec: SpecState; readonly deployment: Deployment | undefined }

/**
 * The spec that was named, else that of this host. One that is wrong is a finding, one that was named and is absent a
 * failure.
 */
async function readSpec(invocation: Invocation): Promise<ReadSpec> {
  const named = invocation.arguments[0]
  if (named === undefined && !existsSync(HOST_SPEC)) return { spec: { kind: 'none' }, deployment: undefined }
  const input = await readSpecInput(invocation)
  const { file, text } = input
  const compiled = compileInput(input, [])
  if (compiled.kind === 'refused') {
    const problems = compiled.diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ span, code, path }) => `${span.file}:${span.line}:${span.column}: ${code} ${path}`)
    return { spec: { kind: 'refused', file, text, problems }, deployment: undefined }
  }
  return {
    spec: { kind: 'compiled', file, text, warnings: compiled.diagnostics.length },
    deployment: compiled.deployment,
  }
}

async function askDaemon({ admin }: Invocation): Promise<DaemonView> {
  const signal = AbortSignal.timeout(DAEMON_TIMEOUT_MS)
  try {
    const [status, config, tls, relay] = await Promise.all([
      admin.ask('GET /api/admin/system', { signal }),
      admin.ask('GET /api/admin/config', { signal }),
      admin.ask('GET /api/admin/tls', { signal }).catch(unknownRoute),
      admin.ask('GET /api/admin/relay', { signal }).catch(unknownRoute),
    ])
    const urls = config.keys.flatMap(({ key, value }) => {
      const name = /^upstreams\.([^.]+)\.base_url$/.exec(key)?.[1]
      return name === undefined || typeof value !== 'string' ? [] : [[name, value] as const]
    })
    return { kind: 'answers', status, baseUrls: Object.fromEntries(urls), tls: tlsView(tls, config.keys), relay }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (signal.aborted) return { kind: 'silent', reason: LATE, hint: undefined }
    return { kind: 'silent', reason: error.problem.detail, hint: error.problem.hint }
  }
}

/** A daemon that was not restarted after an upgrade may not have it yet. */
function unknownRoute(error: unknown): undefined {
  if (error instanceof Failure && error.problem.code === 'UNKNOWN_ROUTE') return undefined
  throw error
}

function tlsView(status: TlsStatus | undefined, keys: readonly Explanation[]): TlsView | undefined {
  if (status === undefined) return undefined
  const own = keys.filter(({ key }) => /^(?:tls|letsencrypt)\.|^server\.external_url$/.test(key))
  return { status, settings: Object.fromEntries(own.map(({ key, value }) => [key, value])) }
}

/** An ordinary user is told who sees more. */
function pageText(report: Report, isRoot: boolean, mark: Mark): string {
  const page = reportText(report, mark)
  return isRoot || report.counts.skip === 0 ? page : `${page}\nroot sees more: sudo gatectl doctor`
}
