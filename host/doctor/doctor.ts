import { sh } from '../../syntax/shell/print.ts'
import { inPool } from '../../system/pool.ts'
import type { AnyCheck } from './check.ts'
import type { Finding, Status } from './finding.ts'

export type CheckedFinding = Finding & { readonly check: string }

/** Findings in the order of the checks. */
export type Report = { readonly findings: readonly CheckedFinding[]; readonly counts: Readonly<Record<Status, number>> }

export type Limits = {
  /** Of one check. */
  readonly deadlineMs: number
  /** Checks that run at the same time. */
  readonly concurrency: number
}

const LIMITS: Limits = { deadlineMs: 8_000, concurrency: 6 }

/**
 * Runs every check. Never throws and never waits longer than its deadlines: a check that does not end in time is left
 * behind with a warning, one that breaks becomes a warning itself.
 */
export async function examine<About>(
  checks: readonly AnyCheck<About>[],
  about: About,
  limits: Limits = LIMITS,
): Promise<Report> {
  const one = (check: AnyCheck<About>) => examineInTime(check, about, limits.deadlineMs)
  const findings = (await inPool(checks, limits.concurrency, one)).flat()
  const counts = { ok: 0, warn: 0, fail: 0, skip: 0 }
  for (const { status } of findings) counts[status]++
  return { findings, counts }
}

async function examineInTime<About>(
  check: AnyCheck<About>,
  about: About,
  deadlineMs: number,
): Promise<CheckedFinding[]> {
  const controller = new AbortController()
  const late = Promise.withResolvers<readonly Finding[]>()
  const timer = setTimeout(() => {
    late.resolve([outOfTime(check, deadlineMs)])
    controller.abort(new Error('out of time'))
  }, deadlineMs)
  try {
    const findings = await Promise.race([late.promise, check.examine(about, controller.signal)])
    return findings.map((finding) => ({ check: check.name, ...finding }))
  } catch (error) {
    return [{ check: check.name, ...broken(error) }]
  } finally {
    clearTimeout(timer)
    controller.abort(new Error('no longer needed'))
  }
}

function outOfTime({ summary }: Pick<AnyCheck, 'summary'>, deadlineMs: number): Finding {
  return {
    status: 'warn',
    what: `no answer within ${deadlineMs / 1_000} s`,
    why: `a program or service that it asks is hanging; it checks: ${summary}`,
    fix: { kind: 'command', command: sh`journalctl --boot --priority=warning --lines=50` },
  }
}

/** What a program of the host printed can be anything: a reader that stumbles over it must not stop the others. */
function broken(error: unknown): Finding {
  return {
    status: 'warn',
    what: 'could not be checked',
    why: error instanceof Error ? error.message : String(error),
    fix: { kind: 'edit', where: 'a bug report', change: 'attach what gatectl doctor --bundle FILE.tar.gz writes' },
  }
}
