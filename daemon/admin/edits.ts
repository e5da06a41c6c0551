import type { ConfigHandle } from '../../config/handle.ts'
import type { ConfigChange } from '../../schemas/config/layers.ts'
import { AdminError } from './error.ts'

/**
 * Sets what a change names; `null` takes a key away. What is refused changes nothing.
 * @throws ConfigError, AdminError BAD_REQUEST for a change that names nothing
 */
export function setEach(
  config: Pick<ConfigHandle, 'change'>,
  path: readonly string[],
  change: Readonly<Record<string, unknown>>,
): Promise<ConfigChange> {
  if (Object.keys(change).length === 0) throw new AdminError('BAD_REQUEST', 'body: name at least one setting to change')
  return config.change(path, change)
}

type Editable = Pick<ConfigHandle, 'explain' | 'unset'>

/** Removes a table of the runtime layer. @throws AdminError NOT_AT_RUN_TIME when another layer has it as well */
export async function unsetWhole(config: Editable, key: string): Promise<ConfigChange> {
  const set = config.explain(key).layers.filter((one) => one.set)
  const other = set.find(({ layer }) => layer === 'env' || layer === 'declared')
  const where = other === undefined ? 'built in' : `set by ${other.source ?? other.layer}`
  if (other !== undefined || !set.some(({ layer }) => layer === 'runtime'))
    throw new AdminError('NOT_AT_RUN_TIME', `${key} is ${where}, not set at run time`, {
      hint: other === undefined ? 'it can be changed' : 'remove it there',
    })
  return config.unset(key)
}
