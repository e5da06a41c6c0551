import type { SpecPath } from '../../schemas/spec/path.ts'
import { type YamlList, type YamlText, yamlList, yamlText } from './print.ts'

/**
 * Texts of a Compose file: `$` is doubled, because Compose fills in variables in every value.
 * @see https://docs.docker.com/reference/compose-file/interpolation/
 */
export const composeText = (text: string, origin?: SpecPath): YamlText => yamlText(text.replaceAll('$', '$$$$'), origin)

export const composeTexts = (texts: readonly string[], origin?: SpecPath): YamlList =>
  yamlList(
    texts.map((text) => composeText(text)),
    origin,
  )

/** A variable of the environment in which Compose runs; it refuses to go on when that is not set. */
export function composeVariable(name: string, origin?: SpecPath): YamlText {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not an environment name: ${JSON.stringify(name)}`)
  return yamlText(`\${${name}:?set it in the environment or in .env}`, origin)
}
