import type { Compiled } from '../../../compiler/compile.ts'
import { gatewayNames } from '../../../compiler/ir/names.ts'
import type { Step } from '../../../host/apply/prepare.ts'
import { compileForHost } from '../../../host/deploy.ts'
import type { Host, HostView } from '../../../host/host.ts'
import { type Lock, takeLock } from '../../../host/lock.ts'
import { deployDirectory } from '../../../host/plan/desired.ts'
import { HostError, type HostProblem } from '../../../host/problem.ts'
import { LOCK_FILE } from '../../../schemas/deploy/lock.ts'
import { HOST_CODES } from '../../../schemas/words/error-codes.ts'
import { Failure, failure, usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { countText, diagnosticText } from '../../output/diagnostic-text.ts'
import { problemText } from '../../output/plan-text.ts'
import { printable } from '../../output/printed.ts'
import { readSpecInput, type SpecInput } from '../spec/spec-input.ts'

export type HostSpec = { readonly compiled: Compiled; readonly input: SpecInput; readonly prefix: string }

/** Reads the spec of this host and compiles it for what is installed here. @throws Failure when it has errors */
export async function readHostSpec(host: HostView, invocation: Invocation): Promise<HostSpec> {
  const input = await readSpecInput(invocation)
  const { file, text, lockText, options } = input
  const lock = lockText === undefined ? {} : { lock: lockText }
  const result = await compileForHost(host, text, { file, ...lock, ...(options.seed && { seed: options.seed }) })
  if (result.diagnostics.length > 0) invocation.note(`${diagnosticText(result.diagnostics, text)}\n`)
  if (result.kind === 'refused') {
    throw failure('INVALID_SPEC', `${file}: ${countText(result.diagnostics)}; nothing was changed`)
  }
  return { compiled: result, input, prefix: result.deployment.prefix }
}

/** Keeps the numbers that were chosen beside the spec, before anything is made of them. */
export function writeLockFile(host: Host, { compiled, input }: HostSpec): void {
  const text = compiled.files.find(({ path }) => path === LOCK_FILE)?.text
  if (text !== undefined && text !== input.lockText) host.write(input.lockFile, text, 0o644)
}

/** The prefix that --instance names. */
export function namedPrefix({ text }: Invocation): string {
  const instance = text('instance')
  if (instance !== undefined && !/^[a-z0-9-]{1,5}$/.test(instance))
    throw usageFailure(
      `--instance: "${instance}" is not a valid instance name`,
      'write it as gate.instance in the spec',
    )
  return gatewayNames(instance).prefix
}

export function requireRoot({ isRoot }: Invocation, command: string): void {
  if (isRoot) return
  throw hostFailure([
    {
      code: 'NOT_ROOT',
      message: `gatectl ${command} changes this host and needs root`,
      hint: `sudo gatectl ${command}`,
    },
  ])
}

/** The work of one command at a time on a host. */
export async function lockHost({ text }: Invocation, prefix: string, command: string): Promise<Lock> {
  const seconds = Number(text('wait') ?? 0)
  if (!Number.isFinite(seconds) || seconds < 0) throw usageFailure('--wait: give seconds', 'such as --wait 60')
  const since = new Date().toISOString()
  const holder = `gatectl ${command}, process ${process.pid}, since ${since}`
  return await converted(() => takeLock(`/run/${prefix}-deploy.lock`, holder, seconds * 1000))
}

/** The longest that units may take to start. */
export function unitTimeoutMs({ text }: Invocation): number {
  const seconds = Number(text('timeout') ?? 1800)
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000
  throw usageFailure('--timeout: give seconds', 'such as --timeout 120')
}

/**
 * Prints each step when it is done, with its time; on a terminal in one line that changes, elsewhere with a line for
 * each part.
 */
export function stepPrinter({ json, note, stderr }: Invocation): Step {
  const isTerminal = stderr.isTTY === true
  return async (what, work) => {
    const startMs = performance.now()
    const seconds = () => `${((performance.now() - startMs) / 1000).toFixed(1)} s`
    if (!json && isTerminal) stderr.write(`... ${printable(what)}`)
    const say = (progress: string) => {
      const text = printable(`${what}: ${progress}`)
      if (json) return
      if (isTerminal) stderr.write(`\r\u001b[K... ${text}  ${seconds()}`)
      else note(`    ${text}`)
    }
    const end = (mark: string) => {
      if (json) return
      if (isTerminal) stderr.write('\r\u001b[K')
      note(`${mark} ${what}${isTerminal ? `  ${seconds()}` : ''}`)
    }
    try {
      const result = await work(say)
      end('ok ')
      return result
    } catch (error) {
      end('FAILED')
      throw error
    }
  }
}

/** Failures of the host as failures of a command. */
export async function converted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof HostError ? hostFailure(error.problems) : error
  }
}

/**
 * @param problems at least one
 * @param before what became of the work, such as "nothing was changed"
 * @param after what else is to be said
 */
export function hostFailure(problems: readonly HostProblem[], before?: string, after = ''): Failure {
  const [first] = problems
  if (first === undefined) throw new RangeError('a failure of the host without a problem')
  const { code } = first
  // one line says what; all that the programs said follows below it
  const [title = '', ...rest] = problemText(problems).split('\n')
  const detail = before === undefined ? title : before
  const hint = [...(before === undefined ? [] : [title]), ...rest, ...(after === '' ? [] : after.split('\n'))].join(
    '\n',
  )
  return new Failure({
    type: 'about:blank',
    title: HOST_CODES[code].meaning,
    status: 500,
    code,
    detail,
    ...(hint === '' ? {} : { hint }),
  })
}

/** Whether there is something to uninstall or to go back to. */
export function isDeployed(host: HostView, prefix: string): boolean {
  return host.status(`${deployDirectory(prefix)}/made.json`) !== undefined
}
