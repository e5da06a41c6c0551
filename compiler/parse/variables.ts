import { WHOLE_VARIABLE } from '../../schemas/config/values.ts'
import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Finding } from '../diagnostic.ts'

/** Texts that go into a container as they are, where `${NAME}` may mean something. */
const OF_CONTAINERS = 'backends'

/**
 * Texts that are one `${NAME}` and nothing else, as config.toml may have them: a spec replaces none. Inside of a longer
 * text it may be meant as it is, but in no address.
 */
export function variableFindings(value: unknown, path: SpecPath = []): Finding[] {
  if (path[0] === OF_CONTAINERS) return []
  if (typeof value === 'object' && value !== null) {
    const entries: readonly [string | number, unknown][] = Array.isArray(value)
      ? value.map((element, index) => [index, element])
      : Object.entries(value)
    return entries.flatMap(([step, inner]) => variableFindings(inner, [...path, step]))
  }
  if (typeof value !== 'string') return []
  const isAddress = path.at(-1) === 'base_url'
  if (!WHOLE_VARIABLE.test(value) && !(isAddress && /\$\{[A-Za-z_]/.test(value))) return []
  const message = `${JSON.stringify(value)} is a variable of config.toml, and a spec replaces none`
  const hint = 'write the value; a secret is written as { env = "NAME" }'
  return [{ code: 'UNEXPANDED_VARIABLE', path, message, hint }]
}
