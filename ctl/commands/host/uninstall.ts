import { uninstall } from '../../../host/apply/uninstall.ts'
import { localHost } from '../../../host/host.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { isAgreed } from './apply.ts'
import { converted, isDeployed, lockHost, namedPrefix, requireRoot, stepPrinter, unitTimeoutMs } from './deployment.ts'

export const run: Run = async (invocation) => {
  const { flag, json, print, printJson, note } = invocation
  requireRoot(invocation, 'uninstall')
  const host = localHost()
  const prefix = namedPrefix(invocation)
  const purge = flag('purge')
  if (!isDeployed(host, prefix)) {
    if (json) printJson({ kind: 'uninstalled', kept: [] })
    else print('nothing is deployed here')
    return 0
  }
  if (!flag('yes')) {
    if (!invocation.stdin.isTTY)
      throw usageFailure('gatectl uninstall: there is no terminal to ask for confirmation', 'give --yes')
    note(`removes everything that gatectl apply made${purge ? ', and all volumes, models, keys and usage' : ''}`)
    if (!(await isAgreed(invocation))) return 1
  }
  const lock = await lockHost(invocation, prefix, 'uninstall')
  try {
    const step = stepPrinter(invocation)
    const limits = { timeoutMs: unitTimeoutMs(invocation) }
    const kept = await converted(() => uninstall(host, prefix, { step, limits, purge }))
    if (json) printJson({ kind: 'uninstalled', kept })
    else for (const { path, why } of kept) print(`kept ${path}  (${why})`)
    return 0
  } finally {
    await lock.release()
  }
}
