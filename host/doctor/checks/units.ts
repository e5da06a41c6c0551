import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { inPool } from '../../../system/pool.ts'
import type { Check } from '../check.ts'
import { command, type Finding, fail, ok, ROOT_SEES_MORE, skip } from '../finding.ts'
import { readSecrets } from '../known-secrets.ts'
import { presentUsers, runProgram } from '../look.ts'
import { redactText } from '../redact.ts'

export type UnitFacts = {
  /** Whether the system's manager answered. */
  readonly isAnswering: boolean
  readonly problem: string
  readonly failed: readonly FailedUnit[]
  /** Users whose managers could not be asked. */
  readonly unseen: readonly string[]
  readonly isRoot: boolean
}
export type FailedUnit = {
  readonly unit: string
  /** Undefined: a unit of the system. */
  readonly user: string | undefined
  /** Last lines of its journal, oldest first, redacted. */
  readonly lines: readonly string[]
}

const LOG_LINES = 5
/** Managers that are asked at the same time. */
const CONCURRENCY = 4

export const units: Check<UnitFacts> = {
  name: 'units',
  summary:
    'whether units of Gate have failed, in the system and in the managers of the backend users, with their last log lines',
  isForApplied: true,
  async observe(subject, signal) {
    const { deployment, names, isRoot } = subject
    const secrets = await readSecrets(subject)
    const system = await failedOf([], signal)
    const isOurs = ownUnits(deployment, names.prefix)
    const users = presentUsers(deployment).filter(({ linger }) => linger)
    const asked = await inPool(users, CONCURRENCY, async ({ name, uid }) => ({
      name,
      uid,
      ...(isRoot ? await failedOf(['--user', '--machine', `${name}@.host`], signal) : NOT_ASKED),
    }))
    const failed = [
      ...system.names
        .filter(isOurs)
        .map(async (unit) => ({ unit, user: undefined, lines: await lastLines(['--unit', unit], secrets, signal) })),
      ...asked.flatMap(({ name, uid, names: own }) =>
        own.map(async (unit) => ({
          unit,
          user: name,
          lines: await lastLines(
            [`_SYSTEMD_USER_UNIT=${unit}`, `_UID=${uid}`, '+', `USER_UNIT=${unit}`, `_UID=${uid}`],
            secrets,
            signal,
          ),
        })),
      ),
    ]
    return {
      isAnswering: system.isAnswering,
      problem: system.problem,
      failed: await Promise.all(failed),
      unseen: asked.filter(({ isAnswering }) => !isAnswering).map(({ name }) => name),
      isRoot,
    }
  },
  judge({ isAnswering, problem, failed, unseen, isRoot }) {
    if (!isAnswering)
      return [
        fail(
          'systemd does not answer',
          problem,
          command(sh`systemctl status dbus.service; journalctl --boot --unit=dbus.service --lines=20`),
        ),
      ]
    const findings: Finding[] = failed.map(judgeOne)
    if (unseen.length > 0)
      findings.push(
        skip(
          `units of ${unseen.length === 1 ? unseen[0] : `${unseen.length} backend users`}`,
          isRoot ? 'their managers do not answer' : ROOT_SEES_MORE,
        ),
      )
    return failed.length > 0 ? findings : [ok('no unit of Gate has failed'), ...findings]
  },
}

function judgeOne({ unit, user, lines }: FailedUnit): Finding {
  const control = user === undefined ? ['systemctl'] : ['systemctl', '--user', `--machine=${user}@.host`]
  const what = user === undefined ? `${unit} has failed` : `${unit} of ${user} has failed`
  const why = lines.length === 0 ? 'its journal is empty, or only root may read it' : lines.join('\n')
  return fail(what, why, command(sh`${control} reset-failed ${unit} && ${control} restart ${unit}`))
}

/** Units that Gate made or that serve its files. */
function ownUnits(deployment: Deployment | undefined, prefix: string): (unit: string) => boolean {
  const proxy = deployment?.proxy.engine
  return (unit) =>
    unit.startsWith(`${prefix}-`) || unit.startsWith('user@') || (proxy !== undefined && unit === `${proxy}.service`)
}

const NOT_ASKED = { isAnswering: false, problem: '', names: [] as readonly string[] }

async function failedOf(where: readonly string[], signal: AbortSignal): Promise<typeof NOT_ASKED> {
  const ran = await runProgram(
    ['systemctl', ...where, 'list-units', '--failed', '--plain', '--no-legend', '--no-pager', '--full'],
    signal,
  )
  const names = ran.stdout.split('\n').flatMap((line) => /^\S+/.exec(line)?.[0] ?? [])
  return { isAnswering: ran.code === 0, problem: ran.stderr.trim(), names }
}

async function lastLines(which: readonly string[], secrets: readonly string[], signal: AbortSignal): Promise<string[]> {
  const ran = await runProgram(
    ['journalctl', '--quiet', '--no-pager', '--output=cat', `--lines=${LOG_LINES}`, ...which],
    signal,
  )
  return ran.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => redactText(line, secrets))
}
