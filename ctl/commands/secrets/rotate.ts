import { setTimeout } from 'node:timers/promises'
import type { Run } from '../../invocation.ts'
import { statusText } from './status.ts'

const LOOK_EVERY_MS = 250

export const run: Run = async ({ admin, flag, json, print, printJson }) => {
  let status = await admin.ask('POST /api/admin/secrets/rotate')
  while (flag('until-sealed') && status.rotating) {
    await setTimeout(LOOK_EVERY_MS)
    status = await admin.ask('GET /api/admin/secrets')
  }
  if (json) printJson(status)
  else print(statusText(status))
  return status.last_error === undefined ? 0 : 3
}
