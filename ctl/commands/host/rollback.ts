import { planRollback } from '../../../host/deploy.ts'
import { localHost } from '../../../host/host.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { carryOut } from './apply.ts'
import { converted, lockHost, namedPrefix, requireRoot } from './deployment.ts'

export const run: Run = async (invocation) => {
  requireRoot(invocation, 'rollback')
  const host = localHost()
  const prefix = namedPrefix(invocation)
  const [asked] = invocation.arguments
  if (asked !== undefined && !/^[1-9]\d{0,8}$/.test(asked))
    throw usageFailure(
      `gatectl rollback: "${asked}" is not the number of a generation`,
      'gatectl generations lists them',
    )
  const lock = await lockHost(invocation, prefix, 'rollback')
  try {
    const number = asked === undefined ? undefined : Number(asked)
    const planned = await converted(() => planRollback(host, prefix, number))
    // going back removes nothing that one may want to come back to
    const code = await carryOut(invocation, host, planned, { keep: Number.MAX_SAFE_INTEGER, before: () => {} })
    if (code === 0 && !invocation.json) invocation.note('the spec was not changed: the next apply goes forward again')
    return code
  } finally {
    await lock.release()
  }
}
