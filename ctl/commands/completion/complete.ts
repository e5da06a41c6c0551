import { LISTS, type ListName } from '../../command.ts'
import { usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'

/** What the completion scripts ask for: one word per line. */
export const run: Run = async (invocation) => {
  const [what, ...given] = invocation.arguments
  const list = LISTS.find((name) => name === what)
  if (list === undefined)
    throw usageFailure(`gatectl complete: no list called "${what}"`, `there are: ${LISTS.join(', ')}`)
  for (const word of await WORDS[list](invocation, given)) invocation.print(word)
  return 0
}

/** @param given the words of the command line so far, such as config, set, log.level */
const WORDS: Readonly<
  Record<ListName, (invocation: Invocation, given: readonly string[]) => Promise<readonly string[]>>
> = {
  'config-key': async ({ admin }) => (await admin.ask('GET /api/admin/config')).keys.map(({ key }) => key),
  'config-value': configValues,
  token: async ({ admin }) => {
    const { keys } = await admin.ask('GET /api/admin/keys')
    return keys.filter(({ revoked_at }) => revoked_at === undefined).map(({ id }) => id)
  },
  user: async ({ admin }) => (await admin.ask('GET /api/admin/users')).users.map(({ name }) => name),
  team: async ({ admin }) => (await admin.ask('GET /api/admin/teams')).teams.map(({ name }) => name),
  'backend-name': async ({ admin }) => (await admin.ask('GET /api/admin/backends')).backends.map(({ name }) => name),
  certificate: async ({ admin }) => (await admin.ask('GET /api/admin/tls')).certificates.map(({ name }) => name),
  command: async ({ commands }, [, group]) => {
    const names = commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name.split(' '))
    if (group === undefined) return [...new Set(names.map(([first = '']) => first))]
    return names.flatMap(([first, second]) => (first === group && second !== undefined ? [second] : []))
  },
}

/** The words that a key can hold; nothing where anything may be written. */
async function configValues(_: Invocation, given: readonly string[]): Promise<readonly string[]> {
  const key = given.at(-1) ?? ''
  const { configKeys } = await import('../../../config/key-set.ts') // loads the schema, which only this needs
  const { nodeAt, optionsOf } = await import('../../../schemas/config/keys.ts')
  const path = key.split('.')
  const node = nodeAt(configKeys().tree, path)
  if (node?.kind !== 'leaf') return []
  if (node.holds === 'boolean') return ['true', 'false']
  return optionsOf(node)
}
