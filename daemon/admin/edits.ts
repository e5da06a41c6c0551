import type { ConfigHandle } from '../../config/handle.ts'
import type { ConfigChange } from '../../schemas/config/layers.ts'
import { keyPathText } from '../../schemas/words/key-path.ts'
import { AdminError } from './error.ts'

type Editable = Pick<ConfigHandle, 'explain' | 'set' | 'unset'>

/**
 * Sets what a change names, key by key; `null` takes a key away. What is refused ends it: what came before it is set.
 * @throws ConfigError, AdminError BAD_REQUEST for a change that names nothing
 */
export async function setEach(
  config: Editable,
  path: readonly string[],
  change: Readonly<Record<string, unknown>>,
): Promise<ConfigChange> {
  const done: ConfigChange[] = []
  for (const [name, value] of Object.entries(change)) {
    const key = keyPathText([...path, name])
    done.push(await (value === null ? config.unset(key) : config.set(key, value, { force: false })))
  }
  const last = done.at(-1)
  if (last === undefined) throw new AdminError('BAD_REQUEST', 'body: name at least one setting to change')
  const all = (of: 'changed' | 'restart' | 'shadowed') => [...new Set(done.flatMap((one) => one[of]))]
  return { ...last, changed: all('changed'), restart: all('restart'), shadowed: all('shadowed') }
}

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
