import { refuse } from '../../../config/problems.ts'
import { explainRelay, loadRelayConfig } from '../../../config/relay/load.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { type RelayOptions, relaySources } from './ground.ts'
import { PRIVATE_DOMAIN } from './settings.ts'
import { startFlaws } from './start-flaws.ts'

/**
 * What the configuration of a relay is, for people or as JSON.
 * @throws ConfigError with all that is wrong; of a check also with what a start would complain about
 */
export async function lookAtConfiguration(options: RelayOptions, as: 'check' | 'text' | 'json'): Promise<string> {
  const sources = relaySources(options)
  const loaded = loadRelayConfig(sources)
  if (as === 'check') refuse(await startFlaws(loaded))
  if (as === 'check') return `the configuration of relay ${options.instance} is right\n`
  const keys = explainRelay(loaded)
  if (as === 'json') return `${JSON.stringify({ instance: options.instance, keys })}\n`
  const lines = keys.map(({ key, value, winner, layers }) => {
    const source = layers.find(({ layer }) => layer === winner)?.source
    return `${key} = ${value === undefined ? unset(key) : JSON.stringify(value)}${winner === undefined ? '' : `  (${winner}: ${source})`}`
  })
  return `${lines.map(escapeControls).join('\n')}\n`
}

/** What holds where no layer and no default says anything. */
const unset = (key: string): string => (key === 'domain_suffix' ? `(not set: ${PRIVATE_DOMAIN})` : '(not set)')
